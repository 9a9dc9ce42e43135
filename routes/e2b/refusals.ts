import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemOf } from '../../plugins/problem.ts';
import { type ErrorCode, ServiceError } from '../../src/errors.ts';
import { RpcError } from './connect-protocol.ts';
import { inTheirWords } from './paths.ts';

/** A request that is refused in the words that its clients know: `code` is the HTTP status, and what they look at. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What nothing here can do. */
export const notThere = (what: string) => new Refusal(501, `${what} not supported by this server`);

/** Ours, where their clients know another status for it. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  SESSION_CLOSED: 404,
  NOT_SUPPORTED: 501,
  UNSUPPORTED_LANGUAGE: 501,
  RUNTIME_UNAVAILABLE: 503,
};

/** Clients of Python try again after a 503 unless they are told not to, and each time more is asked for. */
const NO_RETRY = { 'should-retry': 'false' };

/** An error as their clients see it; null for one of ours. */
export function refusalOf(
  error: unknown,
): { status: number; message: string; headers: Record<string, string> } | null {
  if (error instanceof Refusal || error instanceof RpcError)
    return { status: error.status, message: error.message, headers: {} };
  const known = problemOf(error);
  if (!known) return null;
  const status = (error instanceof ServiceError && STATUS[error.code]) || known.status;
  const headers = status === 503 ? { ...known.headers, ...NO_RETRY } : known.headers;
  return { status, message: inTheirWords(known.body.message), headers };
}

/** Answers every refusal by `{ code, message }`. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(answerError);
}

export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = refusalOf(error);
  if (!known) request.log.error({ err: error }, 'a request of an E2B client failed');
  const { status, message, headers } = known ?? { status: 500, message: 'Internal error', headers: {} };
  return reply.code(status).headers(headers).type('application/json').send({ code: status, message });
}
