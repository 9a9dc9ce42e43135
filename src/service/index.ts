import type { Config } from '../config.ts';
import { ServiceError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Networks } from '../network/networks.ts';
import type { LayerStore } from '../packages/layer-store.ts';
import { openPackages } from '../packages/open-packages.ts';
import { PortNames } from '../port-names.ts';
import type { Runtimes } from '../runtimes/index.ts';
import { type Runtime, type RuntimeState, STARTING } from '../runtimes/runtime.ts';
import type { RuntimeType } from '../schemas/session.ts';
import { FairQueue } from './admission/fair-queue.ts';
import type { Queue } from './admission/queue.ts';
import type { CallLog } from './call.ts';
import { capabilitiesOf } from './capabilities.ts';
import { countFromZero } from './count-from-zero.ts';
import { type Adapters, InstalledAdapters } from './debugging/adapters.ts';
import { Debuggers } from './debugging/debuggers.ts';
import { HomeEntries } from './entries/entries.ts';
import { OneShots } from './executions/executions.ts';
import { intercept } from './interceptors/interceptor.ts';
import { logCalls } from './interceptors/log.ts';
import { countCalls } from './interceptors/metrics.ts';
import { describeLanguage, listLanguages } from './placement/languages.ts';
import { OpenPorts } from './ports/ports.ts';
import { RunningProcesses } from './processes.ts';
import type { Executions, Health, RuntimeHealth, Service } from './service.ts';
import { BatchExecutor } from './sessions/batch-executor.ts';
import { CommandExecutor } from './sessions/command-executor.ts';
import { EndedSessions } from './sessions/ended-sessions.ts';
import { SessionManager } from './sessions/session-manager.ts';
import { statusOfCommand } from './sessions/session-run.ts';
import { StatusBoard } from './status/status-board.ts';
import { StatusReaders } from './status-readers.ts';
import type { Store } from './store/store.ts';
import { FileTransfers } from './transfers/transfers.ts';
import { FileWatches } from './watches/watches.ts';

/** Each takes up to two cores and 2 GB of memory. */
const INSTALLS_AT_ONCE = 2;
const MAX_WAITING_INSTALLS = 1000;

/**
 * The service layer: policy between the doors and the runtimes. It decides which runtime, in what order, for
 * how long, and who may see what. It makes no sandboxes and knows no sockets. Imports: commands, runtimes,
 * languages, schemas, sandbox, errors.
 */
export function createService(parts: {
  config: Omit<Config, 'host' | 'port'>;
  runtimes: Pick<Runtimes, 'all' | 'started'>;
  /** Closed by its opener, after the service. */
  store: Store;
  /** Where packages are installed; null or left out where they are not. */
  layers?: LayerStore | null;
  /** Closed by its opener, after the service; null or left out where nothing is carried into sandboxes or out of them. */
  networks?: Networks | null;
  /** Where debuggers come from; left out: packages, where they are installed. */
  adapters?: Adapters;
  /** Where ports of programs are reached. */
  portNames?: PortNames;
  /** Unique name of this server. */
  instance?: string;
  /** Default: one that outlives nothing. */
  endedSessions?: EndedSessions;
  metrics: Metrics;
  log: CallLog;
}): Service {
  const { config, runtimes, store, metrics, log, endedSessions = new EndedSessions() } = parts;
  const { layers = null, networks = null, instance = '' } = parts;
  const { portNames = new PortNames(undefined) } = parts;
  const programNetworks = networks?.forPrograms ?? null;
  let stopping = false;
  countFromZero(metrics, runtimes.all, { packages: layers !== null, networks: programNetworks !== null });
  const queue = new FairQueue(config.maxConcurrency, config.maxQueue);
  const turns = new FairQueue(INSTALLS_AT_ONCE, MAX_WAITING_INSTALLS);
  const packages =
    layers &&
    openPackages({ store: layers, config, instance, environment: process.env, turns, metrics, log });
  const { adapters = packages && new InstalledAdapters(packages) } = parts;
  const executor = new CommandExecutor({ queue, bounds: config, metrics });
  const batches = new BatchExecutor(executor, config);
  const board = new StatusBoard(runtimes.all);
  const sessions = new SessionManager({
    runtimes,
    executor,
    batches,
    packages,
    networks: programNetworks,
    settings: config,
    endedSessions,
    board,
    metrics,
    log,
  });
  const executions = new OneShots({
    runtimes,
    queue,
    store,
    packages,
    networks: programNetworks,
    settings: config,
    board,
    metrics,
    log,
  });
  const transfers = new FileTransfers(sessions, executions, metrics);
  const debuggers = new Debuggers(sessions, adapters);
  const expected = new Set(config.runtimes ?? []);
  const service: Service = {
    executions: withCommands(executions, sessions),
    sessions,
    processes: new RunningProcesses(sessions, executions),
    transfers,
    entries: new HomeEntries(sessions),
    status: new StatusReaders(board, sessions),
    watches: new FileWatches(sessions, board),
    ports: new OpenPorts({ sessions, networks, names: portNames, board, log }),
    debugging: debuggers,
    started: async () => void (await runtimes.started),
    languages: async () => listLanguages(runtimes.all),
    language: async name => describeLanguage(name, runtimes.all),
    capabilities: async () =>
      capabilitiesOf(runtimes.all, config, {
        packages: packages !== null,
        debuggers: adapters !== null,
        ports: networks !== null,
      }),
    health: async () => ({ ...health(runtimes.all, { sessions, queue, store, expected }), stopping }),
    async drain() {
      stopping = true;
      debuggers.drain();
      await Promise.all([executions.drain(), sessions.drain(), transfers.drain()]);
    },
    async close() {
      stopping = true;
      await Promise.all([executions.stop(), sessions.stop()]);
      board.close();
    },
  };
  return intercept(service, [logCalls, countCalls(metrics)]);
}

/** An `executionId` may name a session's command too. */
function withCommands(executions: OneShots, sessions: SessionManager): Executions {
  return {
    start: executions.start.bind(executions),
    wait: executions.wait.bind(executions),
    recall: executions.recall.bind(executions),
    async events(id, call, afterSeq) {
      const found = sessions.findRun(id, call);
      if (!found) return executions.events(id, call, afterSeq);
      const { id: sessionId } = found.session;
      throw new ServiceError('NOT_FOUND', `Execution not found: ${id}`, {
        details: `It is a command of session ${sessionId}: GET /api/session/${sessionId}/events and session.attach tell its events`,
      });
    },
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

/** The state as the API shows it: there the remedy is called `cure`. */
function asHealth(state: RuntimeState): RuntimeHealth {
  if (state.available) return state;
  const { remedy, ...rest } = state;
  return { ...rest, cure: remedy };
}

function health(
  runtimes: readonly Runtime[],
  parts: {
    sessions: SessionManager;
    queue: Queue;
    store: Store;
    /** Runtimes that were configured by name or have been available. Others may be missing on a healthy machine. */
    expected: Set<RuntimeType>;
  },
): Omit<Health, 'stopping'> {
  const { sessions, queue, store, expected } = parts;
  for (const { type, state } of runtimes) if (state.available) expected.add(type);
  const available = runtimes.filter(runtime => runtime.state.available).length;
  const missing = runtimes.some(({ type, state }) => !state.available && expected.has(type));
  const well = !missing && store.problem === null;
  return {
    status: available === 0 ? 'unhealthy' : well ? 'healthy' : 'degraded',
    uptimeSeconds: Math.floor(process.uptime()),
    starting: runtimes.some(({ state }) => !state.available && state.reason === STARTING),
    runtimes: Object.fromEntries(runtimes.map(({ type, state }) => [type, asHealth(state)])),
    sessions: sessions.count,
    running: queue.running,
    queued: queue.waiting,
    store: store.problem,
  };
}
