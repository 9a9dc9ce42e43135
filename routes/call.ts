import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../src/service/call.ts';
import { onceClosed } from '../src/wire/once-closed.ts';

/** The asking behind a request: whose it is, and that it ends when its client goes away. */
export function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  const { id, owner, log } = request;
  return { id, owner, client: owner ?? request.ip, lane: null, signal: goneSignal(reply), log };
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const { raw } = reply;
  onceClosed(raw, () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
