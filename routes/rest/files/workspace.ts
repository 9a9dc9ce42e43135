import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../../../src/errors.ts';
import { closed, SessionId } from '../../../src/schemas/shapes.ts';
import type { Transfers } from '../../../src/service/service.ts';
import { callOf } from '../../call.ts';
import { problems } from '../../problems.ts';
import { checkShapes } from '../bodies.ts';
import { archive, nothing } from './shapes.ts';
import { isTree, putTree, sendTree, TAR } from './tree.ts';

const tags = ['files'];
const config = { streams: true };
const url = '/api/session/:id/files';
const params = closed({ id: SessionId });

/** All files of a session at once. */
export function workspaceRoutes(scope: FastifyInstance, transfers: Transfers): void {
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    url,
    {
      config,
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'packFiles',
        summary: 'All files of a session as application/x-tar',
        params,
        response: { 200: archive('What is in /workspace'), ...problems(400, 404, 409, 422, 503) },
      },
    },
    async (request, reply) =>
      sendTree(await transfers.pack(request.params.id, '.', callOf(request, reply)), reply) as never,
  );
  app.put(
    url,
    {
      config,
      schema: {
        tags,
        operationId: 'unpackFiles',
        summary: 'Unpacks application/x-tar into /workspace',
        params,
        body: archive('What goes there, in the place of what has the same names'),
        response: { 204: nothing('It is there'), ...problems(400, 404, 409, 415, 422, 503, 507) },
      },
      // The body's is for the contract: its bytes are read by the handler.
      validatorCompiler: part => (part.httpPart === 'body' ? value => ({ value }) : checkShapes(part)),
    },
    async (request, reply) => {
      if (!isTree(request)) throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `content-type: must be ${TAR}`);
      return putTree(transfers, { id: request.params.id, path: '.' }, request, reply) as never;
    },
  );
}
