import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { closed, ExecutionId } from '../../../src/schemas/shapes.ts';
import type { Transfers } from '../../../src/service/service.ts';
import { callOf } from '../../call.ts';
import { sendFile } from '../../downloads/send-file.ts';
import { problems } from '../../problems.ts';
import { bytes, FileHeaders, nothing } from './shapes.ts';

const tags = ['execution'];
const config = { streams: true };
const url = '/api/execution/:id/files/:number';
const params = closed({
  id: ExecutionId,
  number: Type.String({ pattern: '^(?:0|[1-9][0-9]{0,3})$', description: 'As in the url of files' }),
});

/** Files of one-shots that were too large to be in their results. */
export function outputRoutes(scope: FastifyInstance, transfers: Transfers): void {
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  const send = async (request: FastifyRequest<{ Params: Static<typeof params> }>, reply: FastifyReply) => {
    const { id, number } = request.params;
    const file = await transfers.outputFile(id, Number(number), callOf(request, reply));
    return sendFile(file, request, reply) as never;
  };
  app.get(
    url,
    {
      config,
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'readOutputFile',
        summary: 'A large file that a run has left, or a part of it, as long as its result is kept',
        params,
        headers: FileHeaders,
        response: {
          200: bytes('The file'),
          206: bytes('The part that was asked for'),
          304: nothing('The client has it'),
          ...problems(400, 404, 412, 416, 503),
        },
      },
    },
    send,
  );
  app.head(
    url,
    {
      config,
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'describeOutputFile',
        summary: 'Size and type of a large file that a run has left',
        params,
        headers: FileHeaders,
        response: { 200: nothing('As its headers say'), ...problems(400, 404, 412, 416, 503) },
      },
    },
    send,
  );
}
