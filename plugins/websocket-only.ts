import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './errors.ts';
import { problem } from './problem.ts';

/** The route of a path that speaks nothing but WebSocket, without its handler. */
export const onlyWebSocket = {
  method: 'GET',
  exposeHeadRoute: false,
  schema: { hide: true },
  handler: (_: FastifyRequest, reply: FastifyReply) =>
    sendProblem(reply.header('upgrade', 'websocket'), {
      ...problem('VALIDATION_ERROR', 'This path speaks WebSocket'),
      status: 426,
    }),
} as const;
