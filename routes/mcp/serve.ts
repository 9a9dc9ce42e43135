import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerInKind } from './refusals.ts';

/** What answers requests of the protocol. */
export interface Protocol {
  post(request: FastifyRequest<{ Body: string | undefined }>, reply: FastifyReply): Promise<FastifyReply>;
  /** GET and DELETE. */
  other(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  close(): Promise<void>;
}

/**
 * The routes of the protocol's HTTP, at /mcp. `load` is called for the first request: the protocol's library takes a quarter of a
 * second and 30 MB, which who has no agents is spared.
 */
export function serveMcp(app: FastifyInstance, load: () => Promise<Protocol>): void {
  let loaded: Promise<Protocol> | undefined;
  const protocol = () => {
    loaded ??= load();
    return loaded;
  };
  answerInKind(app);
  app.removeAllContentTypeParsers();
  // Bad JSON is answered by the protocol.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => done(null, text));
  app.addHook('preClose', async () => (await loaded)?.close());
  const schema = { hide: true };
  app.post<{ Body: string | undefined }>('/mcp', { schema }, async (request, reply) =>
    (await protocol()).post(request, reply),
  );
  app.route({
    method: ['GET', 'DELETE'],
    url: '/mcp',
    exposeHeadRoute: false,
    schema,
    handler: async (request, reply) => (await protocol()).other(request, reply),
  });
}
