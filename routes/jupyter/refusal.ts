import type { FastifyError, FastifyInstance } from 'fastify';
import { problemOf } from '../../plugins/problem.ts';

/** A request that is refused in the words that Jupyter's clients know. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Answers every refusal by `{ message, reason }`, as Jupyter's server does. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = error instanceof Refusal ? null : problemOf(error);
    const status = error instanceof Refusal ? error.status : (known?.status ?? 500);
    if (status === 500) request.log.error({ err: error }, 'a request of a Jupyter client failed');
    const message = error instanceof Refusal ? error.message : (known?.body.message ?? 'Internal error');
    return reply
      .code(status)
      .headers(known?.headers ?? {})
      .send({ message, reason: known?.body.code ?? null });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ message: 'Not Found', reason: null }));
}
