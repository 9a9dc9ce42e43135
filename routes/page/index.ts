import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../../src/errors.ts';
import type { Door } from '../door.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { file, type PageFile, pageFiles } from './files.ts';

/**
 * GET /: the page on which a person runs code. Opening it needs no key; what it calls then does. It is written in `app/` on our own client, and asks
 * nothing of the service that other clients could not.
 */
export const page: Door = {
  name: 'page',
  open(app) {
    const index = file(join(import.meta.dirname, 'index.html'), 'text/html; charset=utf-8');
    let files: ReadonlyMap<string, PageFile> | undefined;
    const open = { config: { open: true }, schema: { hide: true } };
    app.get('/', open, async (request, reply) => {
      const { content } = await index.read();
      reply.header('content-security-policy', contentSecurityPolicy(content.toString()));
      return send(index, request, reply);
    });
    app.get<{ Params: { '*': string } }>('/page/*', open, (request, reply) => {
      files ??= pageFiles();
      const found = files.get(request.params['*']);
      if (!found) throw new ServiceError('NOT_FOUND', 'The page has no such file');
      return send(found, request, reply);
    });
  },
};

/** Asked for again each time, so that a newer version of the service is seen at once. */
async function send(each: PageFile, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { content, etag } = await each.read();
  reply.headers({ etag, 'cache-control': 'no-cache' });
  if (each.isShared) reply.header('cross-origin-resource-policy', 'cross-origin');
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(each.type).send(content);
}
