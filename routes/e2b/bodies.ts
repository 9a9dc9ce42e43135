import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';

/** Reads bodies as JSON, whatever their type: some clients send none, or a body where none is needed. */
export function readBodies(app: FastifyInstance, bodyLimit?: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string', ...(bodyLimit !== undefined && { bodyLimit }) },
    (_, text, done) => {
      try {
        done(null, text === '' ? undefined : parseJson(text as string));
      } catch (error) {
        done(new ServiceError('VALIDATION_ERROR', `The body is not JSON: ${(error as Error).message}`));
      }
    },
  );
}
