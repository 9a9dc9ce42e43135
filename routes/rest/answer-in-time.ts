import type { Static } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import type { PendingCommand } from '../../src/schemas/pending-command.ts';
import type { Call } from '../../src/service/call.ts';
import type { Service, TakenCommand } from '../../src/service/service.ts';
import { inTime } from './in-time.ts';
import { answerLate, tellApplied, waitWish } from './prefer.ts';

interface Asked {
  readonly service: Pick<Service, 'executions'>;
  readonly sessionId: string;
  readonly call: Call;
}

/**
 * Runs something of a session and answers with its result, or once the client's wait is over with how to ask for it: it goes on
 * then.
 */
export async function answerInTime<T extends { readonly result: unknown }>(
  request: {
    readonly headers: { readonly prefer?: string };
    readonly query: { readonly wait?: 'true' | 'false' };
  },
  reply: Pick<FastifyReply, 'header' | 'code'>,
  { service, sessionId, call }: Asked,
  run: (onTaken: (command: TakenCommand) => void) => Promise<T>,
): Promise<T['result'] | Static<typeof PendingCommand>> {
  const wish = waitWish(request.headers.prefer, request.query.wait);
  const taken = Promise.withResolvers<TakenCommand>();
  const running = run(taken.resolve);
  const answer = await inTime<T>(running, wish?.seconds ?? Number.POSITIVE_INFINITY);
  if (answer) {
    tellApplied(reply, wish);
    return answer.result;
  }
  // Its client has this reply, and learns of a failure from the command's status.
  running.catch((error: unknown) => call.log.debug({ err: error }, 'a command failed after its wait'));
  // One that fails before it has begun is never taken.
  const { executionId, commandId } = await Promise.race([taken.promise, running.then(() => taken.promise)]);
  const { status, createdAt } = await service.executions.status(executionId, call);
  answerLate(reply, wish, executionId);
  return { sessionId, commandId, executionId, status, createdAt };
}
