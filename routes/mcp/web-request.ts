import type { FastifyRequest } from 'fastify';

/** Headers that the protocol reads, and none that proves who asks. */
const READ = /^(accept|content-type|mcp-[a-z-]+)$/;

/** A request as the protocol's library takes it; the body goes beside it. The URL says nothing. */
export function webRequest({ method, headers: sent }: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(sent))
    if (READ.test(name) && typeof value === 'string') headers.set(name, value);
  return new Request('http://localhost/mcp', { method, headers, signal });
}
