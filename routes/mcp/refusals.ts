import type { FastifyError, FastifyInstance } from 'fastify';
import { problem, problemOf } from '../../plugins/problem.ts';
import { ERRORS } from '../../src/errors.ts';

/** A request that is no message of the protocol: its status and JSON-RPC's number. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Gives refusals of this door the body that its clients read: an error of JSON-RPC, beside the status. */
export function answerInKind(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Refused, request, reply) => {
    if (error instanceof Refused) return reply.code(error.status).send(failure(error.code, error.message));
    const known = problemOf(error);
    if (!known) request.log.error({ err: error }, 'a request failed');
    const { status, headers, body } = known ?? problem('INTERNAL_ERROR', 'Internal error');
    const { message, timestamp: _, ...data } = body;
    return reply
      .code(status)
      .headers(headers)
      .send(failure(ERRORS[data.code].rpc, message, data));
  });
}

function failure(code: number, message: string, data?: object) {
  return { jsonrpc: '2.0', id: null, error: { code, message, ...(data && { data }) } };
}
