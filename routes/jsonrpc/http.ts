import { addAbortListener } from 'node:events';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Admit } from '../../plugins/rate-limit.ts';
import type { Rpc } from '../../src/rpc/index.ts';
import { describeRpc } from '../../src/rpc/openrpc.ts';
import { closed } from '../../src/schemas/shapes.ts';
import { callOf } from '../call.ts';
import { problems } from '../problems.ts';

const Envelope = Type.Unsafe<string>({
  description: 'A JSON-RPC 2.0 request or a batch of them: /openrpc.json lists the methods',
  examples: [{ jsonrpc: '2.0', id: 1, method: 'ping' }],
});

/**
 * JSON-RPC 2.0 over HTTP: one message, one answer. Bad JSON is answered by the protocol, so the body arrives
 * unparsed.
 */
export function jsonRpcOverHttp(app: FastifyInstance, rpc: Rpc, admit: Admit | undefined): void {
  app.get('/openrpc.json', { config: { open: true }, schema: { hide: true } }, async () => describeRpc());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/json-rpc'],
    { parseAs: 'string' },
    (_, text, done) => done(null, text),
  );
  app.post<{ Body: string | undefined }>(
    '/api/jsonrpc',
    {
      config: { countsItself: true },
      // The schema is for the contract only; the protocol validates the body.
      validatorCompiler: () => value => ({ value }),
      schema: {
        tags: ['rpc'],
        operationId: 'callJsonRpc',
        summary: 'Takes a JSON-RPC 2.0 request or batch; no notifications come this way',
        querystring: closed({}),
        body: Envelope,
        response: {
          200: Type.Unsafe<unknown>({ description: 'The response, or the array of responses' }),
          204: Type.Null({ description: 'Nothing is due: only notifications came' }),
          ...problems(413, 415),
        },
      },
    },
    async (request, reply) => {
      const { owner, client, signal } = callOf(request, reply);
      const connection = rpc.connect({
        owner,
        client,
        log: request.log,
        outlet: null,
        ...(admit && { admit: () => admit(request) }),
      });
      addAbortListener(signal, () => connection.close());
      const answer = await connection.answer(request.body ?? '');
      if (answer === null) return reply.code(204).send();
      return reply.type('application/json').serializer(String).send(answer);
    },
  );
}
