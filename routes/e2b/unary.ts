import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemOf } from '../../plugins/problem.ts';
import type { Call } from '../../src/service/call.ts';
import { callOf } from '../call.ts';
import { daemonRoute, gone, refuse } from './access.ts';
import { readMessage } from './connect-protocol.ts';
import { isGone, rpcErrorOf } from './rpc-errors.ts';
import type { Sandbox } from './sandboxes.ts';

/** Answers one message by one. */
type Unary = (message: unknown, sandbox: Sandbox, call: Call) => Promise<object>;

/** Adds calls of a service of the daemon's that have one message each way. */
export function unaryCalls(app: FastifyInstance, service: string): (name: string, act: Unary) => void {
  return (name, act) => {
    app.post(`/${service}/${name}`, daemonRoute, async (request, reply) => {
      const { body, sandbox } = request;
      const message = readMessage(Buffer.isBuffer(body) ? body.toString('utf8') : '{}');
      return act(message, sandbox!, callOf(request, reply));
    });
  };
}

/** Of calls of one message; those of streams are told in the stream. */
export function answerRpcError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isGone(error) && request.sandbox) return refuse(reply, gone(request.sandbox.id));
  const { status, body } = rpcErrorOf(error, request.log);
  return reply
    .code(status)
    .headers(problemOf(error)?.headers ?? {})
    .send(body);
}
