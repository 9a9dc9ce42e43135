import { Type } from '@sinclair/typebox';
import { ExecuteRequest, ExecuteResponse, StatusResponse } from '../../src/schemas/execution.ts';
import { closed, ExecutionId } from '../../src/schemas/shapes.ts';
import type { Call } from '../../src/service/call.ts';
import type { Executions, Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { asItIs } from './as-it-is.ts';
import { withExample } from './example.ts';
import { MAX_TIMER_MS } from './in-time.ts';
import { answerLate, LATE_HEADERS, PreferHeader, tellApplied, WaitQuery, waitWish } from './prefer.ts';

const params = closed({ id: ExecutionId });
const tags = ['execution'];
/** The example is what the page of the documentation sends when it is not changed. */
const Wait = { ...WaitQuery, example: 'true' };

/** One-shot runs. */
export function executionRoutes(app: App, { executions }: Service): void {
  app.post(
    '/api/execution',
    {
      ...asItIs,
      schema: {
        tags,
        operationId: 'createExecution',
        summary:
          'Runs a program; answers at once, or with Prefer: wait=SECONDS or ?wait=true when it has ended',
        body: withExample(ExecuteRequest, {
          code: "print('hi')",
          language: 'python',
          config: { timeout: 5 },
        }),
        querystring: closed({ wait: Wait }),
        headers: PreferHeader,
        response: {
          200: Type.Union([StatusResponse, ExecuteResponse], {
            description:
              'StatusResponse of a run that was waited for and has ended; ExecuteResponse, at once, where nothing was preferred',
          }),
          202: { ...ExecuteResponse, description: 'It goes on, and its wait is over', headers: LATE_HEADERS },
          ...problems(400, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request, reply);
      const wish = waitWish(request.headers.prefer, request.query.wait);
      // Who waits for the end does not know its id, and can't follow it.
      const awaited = wish?.seconds === Number.POSITIVE_INFINITY;
      const pending = await executions.start(request.body, call, { live: !awaited, awaited });
      if (!wish) return pending;
      const { executionId } = pending;
      const end = await ended(executions, executionId, call, wish.seconds);
      const now = end ?? (await executions.status(executionId, call));
      if (now.completedAt) {
        tellApplied(reply, wish);
        return now;
      }
      answerLate(reply, wish, executionId);
      return { ...pending, status: now.status };
    },
  );

  app.get(
    '/api/execution/:id',
    {
      schema: {
        tags,
        operationId: 'getExecution',
        summary: 'How a run is doing, or how it ended',
        params,
        response: { 200: StatusResponse, ...problems('NOT_FOUND') },
      },
    },
    (request, reply) => executions.status(request.params.id, callOf(request, reply)),
  );

  app.delete(
    '/api/execution/:id',
    {
      schema: {
        tags,
        operationId: 'cancelExecution',
        summary: 'Cancels a run if it has not ended; answers with its final state',
        params,
        response: { 200: StatusResponse, ...problems('NOT_FOUND') },
      },
    },
    (request, reply) => executions.cancel(request.params.id, callOf(request, reply)),
  );
}

/** Waits for the end of a run up to a deadline. A client that disconnects cancels nothing. */
async function ended(
  executions: Executions,
  id: string,
  call: Call,
  seconds: number,
): Promise<StatusResponse | null> {
  const late = new AbortController();
  const bounded = Number.isFinite(seconds);
  const timer = bounded && setTimeout(() => late.abort(), Math.min(seconds * 1000, MAX_TIMER_MS));
  const signal = bounded ? AbortSignal.any([call.signal, late.signal]) : call.signal;
  try {
    return await executions.wait(id, { ...call, signal });
  } catch (error) {
    if (late.signal.aborted || call.signal.aborted) return null;
    throw error;
  } finally {
    if (timer) clearTimeout(timer);
  }
}
