import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { LIMITS } from '../schemas/limits.ts';
import type { RuntimeType } from '../schemas/session.ts';
import { FairQueue } from './admission/fair-queue.ts';
import { type ExecutionLog, OneShots } from './executions/executions.ts';
import { describeLanguage, listLanguages } from './placement/languages.ts';
import type { Capabilities, Executions, Health, Service } from './service.ts';
import { CommandExecutor } from './sessions/command-executor.ts';
import { RunningProcesses } from './sessions/processes.ts';
import { SessionManager } from './sessions/session-manager.ts';
import { statusOfCommand } from './sessions/session-run.ts';
import { ExecutionStore } from './store/execution-store.ts';

/**
 * The service layer: policy between the front doors and the runtimes. It decides which runtime, in what order, for
 * how long, and who may see what; it makes no sandbox and knows no socket. Imports: commands, runtimes, languages,
 * schemas, sandbox, errors.
 */
export async function createService(parts: {
  config: Config;
  runtimes: readonly Runtime[];
  log: ExecutionLog;
}): Promise<Service> {
  const { config, runtimes, log } = parts;
  const retention = {
    hours: config.retentionHours,
    executions: config.maxExecutions,
    bytes: config.maxStoreBytes,
  };
  const store = await ExecutionStore.open(join(config.dataDir, 'executions.sqlite'), retention);
  const queue = new FairQueue(config.maxConcurrency, config.maxQueue);
  const sessions = new SessionManager(runtimes, new CommandExecutor(queue, config), config);
  const there = runtimes.filter(({ state }) => state.available).map(({ type }) => type);
  const expected = new Set([...(config.runtimes ?? []), ...there]);
  const executions = new OneShots(runtimes, queue, store, config, log);
  return {
    executions: withCommands(executions, sessions),
    sessions,
    processes: new RunningProcesses(sessions, executions),
    languages: async () => listLanguages(runtimes),
    language: async name => describeLanguage(name, runtimes),
    capabilities: async () => capabilities(runtimes, config),
    health: async () => health(runtimes, { sessions, queue, store, expected }),
    async close() {
      await Promise.all([executions.stop(), sessions.stop()]);
      await store.close();
    },
  };
}

/** An `executionId` may name a session's command too. */
function withCommands(executions: OneShots, sessions: SessionManager): Executions {
  return {
    start: executions.start.bind(executions),
    wait: executions.wait.bind(executions),
    events: executions.events.bind(executions),
    async status(id, call) {
      const found = sessions.findRun(id, call);
      return found ? statusOfCommand(found.session, found.run) : executions.status(id, call);
    },
    async cancel(id, call) {
      const found = sessions.findRun(id, call);
      if (!found) return executions.cancel(id, call);
      found.run.cancel();
      await found.run.ended;
      return statusOfCommand(found.session, found.run);
    },
  };
}

function capabilities(runtimes: readonly Runtime[], config: Config): Capabilities {
  const languages = new Set(
    runtimes.flatMap(runtime => runtime.languages.filter(language => runtime.stateFor(language).available)),
  );
  return {
    supportedLanguages: [...languages],
    limits: {
      maxTimeout: config.maxTimeoutSeconds,
      maxMemory: config.maxMemoryMB,
      maxConcurrency: config.maxConcurrency,
      maxCodeLength: LIMITS.codeLength,
      maxMessageBytes: LIMITS.messageBytes,
    },
  };
}

function health(
  runtimes: readonly Runtime[],
  parts: {
    sessions: SessionManager;
    queue: FairQueue;
    store: ExecutionStore;
    /** Runtimes that were asked for by name or have been available: a machine without the others is well. */
    expected: Set<RuntimeType>;
  },
): Health {
  const { sessions, queue, store, expected } = parts;
  for (const { type, state } of runtimes) if (state.available) expected.add(type);
  const available = runtimes.filter(runtime => runtime.state.available).length;
  const missing = runtimes.some(({ type, state }) => !state.available && expected.has(type));
  const well = !missing && store.problem === null;
  return {
    status: available === 0 ? 'unhealthy' : well ? 'healthy' : 'degraded',
    uptimeSeconds: Math.floor(process.uptime()),
    runtimes: Object.fromEntries(runtimes.map(runtime => [runtime.type, runtime.state])),
    sessions: sessions.count,
    running: queue.running,
    queued: queue.waiting,
    store: store.problem,
  };
}
