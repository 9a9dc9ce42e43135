import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../src/errors.ts';
import { parseJson } from '../src/schemas/json-text.ts';

/** Takes JSON under whatever type, and no body as none: other services' clients send both. `bodyLimit`: bytes; the server's own by default. */
export function takeLenientBodies(app: FastifyInstance, bodyLimit?: number): void {
  app.removeAllContentTypeParsers();
  const limit = bodyLimit === undefined ? {} : { bodyLimit };
  app.addContentTypeParser('*', { parseAs: 'string', ...limit }, (_, text, done) => {
    try {
      done(null, text === '' ? undefined : parseJson(text as string));
    } catch (error) {
      done(new ServiceError('VALIDATION_ERROR', `The body is not JSON: ${(error as Error).message}`));
    }
  });
}
