import type { FastifyInstance } from 'fastify';
import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import { type Job, readJob } from './job.ts';
import { PrintedText } from './output.ts';
import { jobResult } from './result.ts';
import { pistonRuntimes } from './runtimes.ts';

/** `POST /execute`: runs a program to its end. Nobody else can ask for the result, so a client that leaves cancels it. */
export function executeRoute(app: FastifyInstance, service: Service): void {
  app.post('/execute', { schema: { hide: true } }, async (request, reply) => {
    const call = callOf(request, reply);
    const job = readJob(request.body, pistonRuntimes(await service.languages()));
    return run(job, service, call);
  });
}

async function run({ runtime, request }: Job, { executions }: Service, call: Call): Promise<object> {
  const { executionId } = await executions.start(request, call, { awaited: true });
  const printed = new PrintedText();
  try {
    const events = await executions.events(executionId, call, 0);
    for await (const event of events) if (event.method === 'execution.output') printed.add(event);
    return jobResult(runtime, await executions.wait(executionId, call), printed.toString());
  } catch (error) {
    await executions.cancel(executionId, call);
    throw error;
  } finally {
    if (call.signal.aborted) await executions.cancel(executionId, call);
  }
}
