import { type BatchFields, parseBatch } from '../../../src/commands/batch.ts';
import { parseCommand } from '../../../src/commands/parse.ts';
import { type Config, readConfig } from '../../../src/config.ts';
import { createMetrics } from '../../../src/metrics.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import type { ExecutionEvent } from '../../../src/schemas/events.ts';
import type { ExecuteRequest } from '../../../src/schemas/execution.ts';
import type { SessionConfig } from '../../../src/schemas/session.ts';
import type { Call } from '../../../src/service/call.ts';
import type { Adapters } from '../../../src/service/debugging/adapters.ts';
import { createService } from '../../../src/service/index.ts';
import type { EventStream, ExecuteOptions } from '../../../src/service/service.ts';
import { CollectedLog } from './collected-log.ts';
import { MemoryRuntime, type MemoryRuntimeOptions } from './memory-runtime.ts';
import { MemoryStore } from './memory-store.ts';

// One for all: to make one hooks into the engine. Tests look at what a call adds.
export const metrics = createMetrics();

export interface ServiceOptions extends MemoryRuntimeOptions {
  /** Instead of the one that the other options make. */
  readonly runtimes?: readonly Runtime[];
  readonly settings?: Partial<Config>;
  readonly started?: Promise<void>;
  /** Where debuggers come from; none can be had by default. */
  readonly adapters?: Adapters;
}

export type OpenService = ReturnType<typeof openService>;

/** The real service layer over runtimes and a store in memory. */
export function openService({ runtimes, settings, started, adapters, ...options }: ServiceOptions = {}) {
  const runtime = new MemoryRuntime(options);
  const store = new MemoryStore();
  const log = new CollectedLog();
  const service = createService({
    config: { ...readConfig({}), maxConcurrency: 8, ...settings },
    runtimes: { all: runtimes ?? [runtime], started: started ?? Promise.resolve() },
    store,
    ...(adapters && { adapters }),
    metrics,
    log,
  });
  let calls = 0;
  /** A call of nobody's that waits for nothing and is never aborted, unless told otherwise. */
  const call = (over: Partial<Call> = {}): Call => ({
    id: `call-${++calls}`,
    owner: null,
    client: 'client',
    lane: null,
    signal: new AbortController().signal,
    log,
    ...over,
  });
  /** Takes a one-shot and resolves to its id. */
  const start = async (
    request: Partial<ExecuteRequest> = {},
    over: Partial<Call> = {},
    options: { interactive?: boolean; awaited?: boolean } = {},
  ) => {
    const whole = { language: 'python', code: 'pass', ...request };
    return (await service.executions.start(whole, call(over), options)).executionId;
  };
  return {
    service,
    runtime,
    store,
    log,
    call,
    /** Opens a session and returns how to speak to it. */
    async session(config: Partial<SessionConfig> = {}, who: Partial<Call> = {}) {
      const { sessionId } = await service.sessions.create({ language: 'python', ...config }, call(who));
      const execute = (command: object, over: Partial<Call> = {}, more: ExecuteOptions = {}) =>
        service.sessions.execute(sessionId, parseCommand(command), call({ ...who, ...over }), more);
      return {
        id: sessionId,
        execute,
        /** Runs several commands as one. */
        batch: async (fields: BatchFields, over: Partial<Call> = {}, more: ExecuteOptions = {}) =>
          (
            await service.sessions.runCommands(
              { sessionId },
              parseBatch(fields),
              call({ ...who, ...over }),
              more,
            )
          ).result,
        /** Runs a cell and resolves to the command's answer. */
        cell: async (code: string, more: object = {}, over: Partial<Call> = {}) =>
          (await execute({ type: 'execute_code', code, ...more }, over)).result,
        shell: async (commandName: string, more: object = {}, over: Partial<Call> = {}) =>
          (await execute({ type: 'execute_shell', commandName, ...more }, over)).result,
        info: () => service.sessions.get(sessionId, call(who)),
        close: () => service.sessions.close(sessionId, call(who)),
        events: (afterSeq: number | null = 0, over: Partial<Call> = {}) =>
          service.sessions.events(sessionId, call({ ...who, ...over }), afterSeq),
      };
    },
    start,
    /** Runs a one-shot to its end. */
    run: async (request: Partial<ExecuteRequest> = {}, over: Partial<Call> = {}) =>
      service.executions.wait(await start(request, over), call(over)),
  };
}

/** All that a stream tells until it ends. */
export async function readAll(stream: EventStream | Promise<EventStream>): Promise<ExecutionEvent[]> {
  const events: ExecutionEvent[] = [];
  for await (const event of await stream) events.push(event);
  return events;
}

/** Names without their first word, e.g. `output`. */
export const namesOf = (events: readonly ExecutionEvent[]): string[] =>
  events.map(({ method }) => method.slice('execution.'.length));

/** The text of all output. */
export const textOf = (events: readonly ExecutionEvent[]): string =>
  events.map(({ params }) => ('text' in params ? params.text : '')).join('');
