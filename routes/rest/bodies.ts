import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import { ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import { renameOldNames } from '../../src/schemas/old-names.ts';
import { closed } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';

/** Reads JSON bodies and checks what comes in by TypeBox, with the same sentences as the JSON-RPC door. */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    try {
      // No body under a JSON content type is how several clients send DELETE.
      done(null, text === '' ? undefined : parseJson(text as string));
    } catch (error) {
      done(new ServiceError('VALIDATION_ERROR', `The body is not JSON: ${(error as Error).message}`));
    }
  });
  app.addHook('onRoute', route => {
    // What a route does not know is refused in its query too.
    route.schema = { querystring: closed({}), ...route.schema };
  });
  app.setValidatorCompiler(checkShapes);
}

/** Checks one part of a request by its TypeBox schema. */
export const checkShapes: FastifySchemaCompiler<unknown> = ({ schema, httpPart }) => {
  const validate = validator(schema as Parameters<typeof validator>[0]);
  return (value: unknown) => {
    try {
      if (httpPart === 'body') renameOldNames(schema as Parameters<typeof renameOldNames>[0], value);
      return { value: validate(value) };
    } catch (error) {
      return { error: error as Error };
    }
  };
};
