import { logAbout } from '../../call-log.ts';
import type { CommandBatch } from '../../commands/batch.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { cancelled, invalid, notSupported, ServiceError, shuttingDown } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { Networks } from '../../network/networks.ts';
import { InstallFailed } from '../../packages/install-failed.ts';
import type { Packages } from '../../packages/packages.ts';
import type { Runtimes } from '../../runtimes/index.ts';
import { type FilledSession, fillSession } from '../../schemas/defaults.ts';
import type { StatusResponse } from '../../schemas/execution.ts';
import { weigh } from '../../schemas/json-text.ts';
import { LIMITS } from '../../schemas/limits.ts';
import {
  MAX_LIFETIME_MINUTES,
  MAX_PAGE_SESSIONS,
  type SessionConfig,
  type SessionInfo,
  type SessionList,
} from '../../schemas/session.ts';
import type { CloseReason } from '../../schemas/status-events.ts';
import { Ledger } from '../admission/ledger.ts';
import type { Call, CallLog } from '../call.ts';
import { LeasedNetwork } from '../network/leased-network.ts';
import { checked, type WantedNetwork, wantedNetwork } from '../network/wanted-network.ts';
import { ShownPackages } from '../packages/shown-packages.ts';
import { type WantedPackages, wantedPackages } from '../packages/wanted-packages.ts';
import { asServiceError } from '../packages/why-not-installed.ts';
import { type Lease, openLease, planLease } from '../placement/lease.ts';
import type {
  BatchPlace,
  BatchReply,
  CreateOptions,
  EventStream,
  ExecuteOptions,
  ExecuteReply,
  ListOptions,
  SessionChange,
  SessionEnd,
  Sessions,
  SessionUsage,
} from '../service.ts';
import type { StatusBoard } from '../status/status-board.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import type { BatchExecutor } from './batch-executor.ts';
import type { CommandExecutor } from './command-executor.ts';
import { COMMANDS, holdCommands, holdInput } from './command-room.ts';
import type { EndedSessions } from './ended-sessions.ts';
import { KeptRuns } from './kept-runs.ts';
import { Lanes, laneOf, lanesOf } from './lanes.ts';
import { Session, type SharedMemory } from './session.ts';
import { statusOfCommand } from './session-run.ts';

export interface SessionSettings {
  readonly maxSessions: number;
  readonly maxMemoryMB: number;
  readonly replayBytes: number;
}

/** Where a session says what its network is. */
const FIELDS = { network: 'network', enabled: 'networkEnabled' };
/** Interval of the check for idle timeouts and lifetimes, milliseconds. */
const SWEEP_MS = 1000;
const MB = 1024 * 1024;
const MAX_METADATA_BYTES = 4 * LIMITS.metadataLength;
/** Most bytes of a page as JSON. */
const MAX_PAGE_BYTES = 4 * MB;
/** Bytes of a listed session in addition to its configuration. */
const LISTED_BYTES = 1024;

/** Holds sessions from creation to close and ends those that are idle too long or too old. */
export class SessionManager implements Sessions {
  readonly #runtimes: Pick<Runtimes, 'all' | 'started'>;
  readonly #executor: CommandExecutor;
  readonly #batches: BatchExecutor;
  readonly #settings: SessionSettings;
  readonly #packages: Packages | null;
  readonly #networks: Networks | null;
  readonly #metrics: Metrics;
  readonly #log: CallLog;
  readonly #sessions = new Map<string, Session>();
  readonly #lanes = new Lanes();
  readonly #memory: SharedMemory = {
    commands: new Ledger(COMMANDS),
    output: new Ledger(LIMITS.outputBytes),
    reads: new Ledger(LIMITS.readsBytes),
    replay: new Ledger(LIMITS.sessionEventsBytes),
    runs: new KeptRuns(),
  };
  readonly #configs = new Ledger(LIMITS.configsBytes);
  readonly #endedSessions: EndedSessions;
  readonly #board: StatusBoard;
  /** While there are sessions. */
  #sweep: NodeJS.Timeout | undefined;
  #numbers = 0;
  /** Sessions being created; they count towards `maxSessions`. */
  #creating = 0;
  /** Nothing new is taken. */
  #draining = false;
  #stopped = false;
  /** Commands that have been taken and not answered. */
  readonly #calls = new Set<Promise<unknown>>();
  /** Sessions whose batch has been answered and that are not closed yet; they count towards `maxSessions` until then. */
  #closings = 0;
  /** Resolves when one of them is. */
  #closed = Promise.withResolvers<void>();

  constructor(parts: {
    runtimes: Pick<Runtimes, 'all' | 'started'>;
    executor: CommandExecutor;
    packages: Packages | null;
    networks: Networks | null;
    batches: BatchExecutor;
    settings: SessionSettings;
    endedSessions: EndedSessions;
    board: StatusBoard;
    metrics: Metrics;
    log: CallLog;
  }) {
    this.#runtimes = parts.runtimes;
    this.#executor = parts.executor;
    this.#packages = parts.packages;
    this.#networks = parts.networks;
    this.#batches = parts.batches;
    this.#settings = parts.settings;
    this.#endedSessions = parts.endedSessions;
    this.#board = parts.board;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
  }

  get count(): number {
    return this.#sessions.size;
  }

  async create(asked: SessionConfig, call: Call, options: CreateOptions = {}): Promise<SessionInfo> {
    if (this.#draining) throw shuttingDown();
    await this.#runtimes.started;
    const config = fillSession(asked, this.#settings);
    const { language } = asked;
    const wanted = wantedPackages(asked.packages, {
      field: 'packages',
      language,
      on: this.#packages !== null,
    });
    const network = wantedNetwork(
      { network: asked.network, enabled: asked.networkEnabled, fields: FIELDS },
      this.#networks,
    );
    const plan = planLease(this.#runtimes.all, {
      ...this.#leaseRequest(asked, config, options),
      packages: wanted !== null,
      egress: network?.egress ?? null,
    });
    while (this.#isFull && this.#closings > 0) await this.#aClosing(call.signal);
    if (this.#isFull) {
      throw new ServiceError(
        'TOO_MANY_SESSIONS',
        `${this.#settings.maxSessions} sessions are open, the most allowed`,
      );
    }
    const bytes = this.#takeRoom(config, call.owner);
    this.#creating++;
    let made: Session | undefined;
    try {
      await using unfinished = new AsyncDisposableStack();
      const id = crypto.randomUUID();
      const log = logAbout(call.log, { sessionId: id });
      const packages = unfinished.adopt(new ShownPackages(this.#packages, plan, call), shown =>
        shown[Symbol.dispose](),
      );
      if (wanted) await addFirst(packages, wanted, { signal: call.signal, log });
      const lease = await openLease(plan);
      // Numbered only now, so that no page of a list can have gone past it.
      const session = unfinished.use(
        new Session({
          id,
          number: ++this.#numbers,
          owner: call.owner,
          config,
          lease,
          packages,
          network: await this.#openNetwork(lease, network, log),
          replayBytes: this.#settings.replayBytes,
          memory: this.#memory,
          board: this.#board,
        }),
      );
      await packages.show(lease);
      if (this.#stopped) throw shuttingDown();
      if (call.signal.aborted) throw cancelled();
      unfinished.move();
      this.#sessions.set(session.id, session);
      this.#sweep ??= setInterval(() => this.#endOverdue(), SWEEP_MS).unref();
      made = session;
      if (options.onEnded) void session.ended.then(options.onEnded);
      session.lease.sandbox.lost.then(() => this.#end(session, 'lost')).catch(() => {});
      const { language, runtime, sandbox } = session.lease;
      const labels = { language: language.name, runtime: runtime.type };
      this.#metrics.sessionsCreated.inc(labels);
      call.log.info({ sessionId: session.id, sandbox: sandbox.id, ...labels }, 'session created');
      session.tellCreated();
      return session.info();
    } finally {
      this.#creating--;
      if (made) void made.ended.then(() => this.#configs.add(call.owner, -bytes));
      else this.#configs.add(call.owner, -bytes);
    }
  }

  get #isFull(): boolean {
    return this.#sessions.size + this.#creating >= this.#settings.maxSessions;
  }

  /** Resolves when a session whose batch has been answered is closed, whichever is the first. @throws {ServiceError} SHUTTING_DOWN, CANCELLED */
  async #aClosing(signal: AbortSignal): Promise<void> {
    await this.#closed.promise;
    if (this.#draining) throw shuttingDown();
    if (signal.aborted) throw cancelled();
  }

  /** Before the session is there, whose end would close the lease. @throws {ServiceError | SandboxLost} */
  async #openNetwork(
    { sandbox }: Lease,
    wanted: WantedNetwork | null,
    log: CallLog,
  ): Promise<LeasedNetwork | null> {
    try {
      return await LeasedNetwork.open(this.#networks, sandbox, wanted, log);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  async update(id: string, { network }: SessionChange, call: Call): Promise<SessionInfo> {
    const session = this.find(id, call);
    session.touch();
    if (!session.network || !this.#networks)
      throw notSupported(
        'network',
        'the session was made without one; with {"allow": []} it can be given rules later',
      );
    await session.network.update(checked({ deny: [], ...network }, 'network', this.#networks));
    session.showNetwork(network);
    return session.info();
  }

  /** Counts the bytes of a configuration. @throws {ServiceError} TOO_MANY_SESSIONS naming the largest field */
  #takeRoom({ environment, metadata, permissions, ...rest }: FilledSession, owner: string | null): number {
    const sizes = Object.entries({
      environment,
      metadata,
      permissions: permissions ?? {},
      language: rest,
    }).map(([field, value]) => ({ field, bytes: weigh(JSON.stringify(value)).bytes }));
    const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
    if (this.#configs.take(owner, bytes)) return bytes;
    const { field } = sizes.reduce((most, size) => (size.bytes > most.bytes ? size : most));
    const most = this.#configs.mostOf(owner) / MB;
    throw new ServiceError(
      'TOO_MANY_SESSIONS',
      `${field}: no room; open sessions' environments and metadata take the ${most} MB that they may take together`,
      { field },
    );
  }

  async get(id: string, call: Call): Promise<SessionInfo> {
    return this.find(id, call).info();
  }

  async list({ limit = MAX_PAGE_SESSIONS, cursor }: ListOptions, call: Call): Promise<SessionList> {
    const own = [...this.#sessions.values()].filter(session => session.owner === call.owner);
    // Sessions are in the order of their numbers; the cursor is the last number on the previous page.
    const after = Number(cursor ?? 0);
    const rest = own.filter(session => session.number > after);
    const page: Session[] = [];
    let bytes = 0;
    for (const session of rest) {
      bytes += LISTED_BYTES + session.listedBytes;
      if (page.length === limit || (page.length > 0 && bytes > MAX_PAGE_BYTES)) break;
      page.push(session);
    }
    const last = page.at(-1);
    return {
      count: own.length,
      sessions: page.map(session => session.listed()),
      nextCursor: last && page.length < rest.length ? String(last.number) : null,
    };
  }

  async keepAlive(id: string, call: Call): Promise<SessionInfo> {
    const session = this.find(id, call);
    session.touch();
    return session.info();
  }

  async usage(id: string, call: Call): Promise<SessionUsage> {
    const { sandbox, limits } = this.find(id, call).lease;
    const { memoryBytes: memoryLimitBytes, diskBytes, cpus } = limits;
    return { ...(await sandbox.usage()), memoryLimitBytes, diskBytes, cpus };
  }

  async setEnd(id: string, { afterMs, onlyLater = false }: SessionEnd, call: Call): Promise<SessionInfo> {
    const session = this.find(id, call);
    if (!(afterMs >= 0) || afterMs > MAX_LIFETIME_MINUTES * 60_000)
      throw invalid('maxLifetimeMinutes', `must be at most ${MAX_LIFETIME_MINUTES} from now`);
    session.endAfter(afterMs, onlyLater);
    return session.info();
  }

  async close(id: string, call: Call): Promise<{ sessionId: string; closed: boolean }> {
    await this.#end(this.find(id, call), 'client');
    return { sessionId: id, closed: true };
  }

  execute(
    id: string,
    command: CommandRequest,
    call: Call,
    options: ExecuteOptions = {},
  ): Promise<ExecuteReply> {
    const lane = laneOf(id, command, call);
    const turn = { lanes: lane === null ? [] : [lane], alone: false };
    const act = () =>
      this.#inTurn(id, turn, call, options, session =>
        this.#executor.execute(session, command, call, options),
      );
    return holdCommands(this.#memory.commands, call.owner, [command], act, options.cell);
  }

  /** Does something with input for a program, which counts as commands that wait do. @throws {ServiceError} QUEUE_FULL */
  withInput<T>({ owner }: Call, data: Uint8Array, act: () => Promise<T>): Promise<T> {
    return holdInput(this.#memory.commands, owner, data, act);
  }

  runCommands(
    where: BatchPlace,
    batch: CommandBatch,
    call: Call,
    options: ExecuteOptions = {},
  ): Promise<BatchReply> {
    const { transactional: alone } = batch;
    const run = (id: string, lanes: string[]) =>
      this.#inTurn(id, { lanes, alone }, call, options, session =>
        this.#batches.run(session, batch, call, {
          ...options,
          lost: () => this.#end(session, 'lost').catch(() => {}),
        }),
      );
    return holdCommands(this.#memory.commands, call.owner, batch.commands, async () => {
      if ('sessionId' in where) return run(where.sessionId, lanesOf(where.sessionId, batch.commands, call));
      const { sessionId } = await this.create(where, call);
      try {
        return await run(sessionId, []);
      } finally {
        this.#closeLater(sessionId, call);
      }
    });
  }

  /** Closes a session of one batch. That takes time, so its answer goes out first. */
  #closeLater(id: string, call: Call): void {
    this.#closings++;
    const closed = () => {
      this.#closings--;
      this.#closed.resolve();
      this.#closed = Promise.withResolvers();
    };
    void new Promise(setImmediate).then(() => this.close(id, call)).then(closed, closed);
  }

  /**
   * Acts on a session once what was called before in these lanes has ended. Its place is taken before this returns. `alone`: while no
   * other command of the session runs.
   */
  #inTurn<T>(
    id: string,
    { lanes, alone }: { readonly lanes: readonly string[]; readonly alone: boolean },
    call: Call,
    options: ExecuteOptions,
    act: (session: Session) => Promise<T>,
  ): Promise<T> {
    if (this.#draining) return Promise.reject(shuttingDown());
    const start = async () => {
      await options.beforeStart?.(id);
      const leave = await this.#findUnstopped(id, call).gate.enter(alone, call.signal);
      try {
        return await act(this.#findUnstopped(id, call));
      } finally {
        leave();
      }
    };
    const reply = lanes.length === 0 ? start() : this.#lanes.run(lanes, call.signal, start);
    const over = () => this.#calls.delete(reply);
    this.#calls.add(reply);
    reply.then(over, over);
    return reply;
  }

  async cancel(id: string, commandId: string, call: Call): Promise<StatusResponse> {
    const session = this.find(id, call);
    session.touch();
    const run = session.command(commandId);
    if (!run) throw new ServiceError('NOT_FOUND', `Command not found: ${commandId}`);
    run.cancel();
    await run.ended;
    return statusOfCommand(session, run);
  }

  async closeContext(id: string, context: string, call: Call): Promise<void> {
    const session = this.find(id, call);
    session.touch();
    session.closeContexts(context);
  }

  async events(id: string, call: Call, afterSeq: number | null): Promise<EventStream> {
    const session = this.find(id, call);
    session.touch();
    return session.log.read(afterSeq, call.signal);
  }

  async commandEvents(
    id: string,
    executionId: string,
    call: Call,
    afterSeq: number | null,
  ): Promise<EventStream | null> {
    const run = this.find(id, call).run(executionId);
    if (!run) throw new ServiceError('NOT_FOUND', `Command not found: ${executionId}`);
    return run.log?.read(afterSeq, call.signal) ?? null;
  }

  #findUnstopped(id: string, call: Call): Session {
    if (this.#stopped) throw shuttingDown();
    return this.find(id, call);
  }

  /** @throws {ServiceError} SESSION_NOT_FOUND, also for another owner's */
  find(id: string, call: Call): Session {
    const session = this.#sessions.get(id);
    if (session && session.owner === call.owner) return session;
    throw this.#endedSessions.notFound(id, call.owner);
  }

  /**
   * A command of any session of the caller's, by its execution id.
   * @throws {ServiceError} NOT_FOUND that says why its session ended, if it has within the hour
   */
  findRun(executionId: string, call: Call): { session: Session; run: CommandRun } | undefined {
    for (const session of this.#sessions.values()) {
      const run = session.owner === call.owner ? session.run(executionId) : undefined;
      if (run) return { session, run };
    }
    const gone = this.#endedSessions.runNotFound(executionId, call.owner);
    if (gone) throw gone;
    return undefined;
  }

  /** Takes no new sessions and commands; resolves when those that were taken before have ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (;;) {
      const runs = [...this.#sessions.values()].map(session => session.drained());
      const busy = [...this.#calls, ...runs.filter(run => run !== null)];
      if (busy.length === 0) return;
      await Promise.allSettled(busy);
    }
  }

  /** Closes every session and refuses new ones. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#stopped = true;
    clearInterval(this.#sweep);
    await Promise.allSettled([...this.#sessions.values()].map(session => this.#end(session, 'shutdown')));
    this.#endedSessions.save();
  }

  #endOverdue(): void {
    for (const session of this.#sessions.values()) {
      const { overdue } = session;
      if (overdue) this.#end(session, overdue).catch(() => {});
    }
    if (this.#sessions.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  async #end(session: Session, reason: CloseReason): Promise<void> {
    const first = session.state !== 'Closing' && session.state !== 'Closed';
    try {
      await session.close(reason === 'shutdown' ? reason : 'client');
    } finally {
      this.#sessions.delete(session.id);
      if (first) {
        this.#endedSessions.add(session.id, session.owner, reason, session.executionIds);
        this.#board.tell(session.owner, 'session.closed', { sessionId: session.id, reason });
        this.#metrics.sessionsClosed.inc({ reason });
        this.#log.info({ sessionId: session.id, reason }, 'session closed');
      }
    }
  }

  #leaseRequest(asked: SessionConfig, config: FilledSession, { home }: CreateOptions) {
    if (config.memoryLimitMB > this.#settings.maxMemoryMB) {
      throw invalid('memoryLimitMB', `is over the ${this.#settings.maxMemoryMB} MB of this server`);
    }
    if (JSON.stringify(config.environment).length > LIMITS.environmentLength)
      throw invalid('environment', `is over ${LIMITS.environmentLength} characters of JSON`);
    const metadata = JSON.stringify(config.metadata);
    if (metadata.length > LIMITS.metadataLength)
      throw invalid('metadata', `is over ${LIMITS.metadataLength} characters of JSON`);
    const weight = weigh(metadata);
    if (weight.bytes > MAX_METADATA_BYTES) throw invalid('metadata', 'has too many values');
    if (weight.depth > LIMITS.metadataDepth)
      throw invalid('metadata', `nests deeper than ${LIMITS.metadataDepth} levels`);
    if (JSON.stringify(config.permissions ?? {}).length > LIMITS.permissionsLength)
      throw invalid('permissions', `is over ${LIMITS.permissionsLength} characters of JSON`);
    return {
      language: asked.language,
      runtimeType: asked.runtimeType,
      runtimePreference: config.runtimePreference,
      request: {
        ...(asked.dockerImage !== undefined && { dockerImage: asked.dockerImage }),
        ...(asked.permissions !== undefined && { permissions: asked.permissions }),
        ...(home && { home: true as const }),
      },
      purpose: 'session' as const,
      memoryMB: config.memoryLimitMB,
      cpus: config.cpuShares / LIMITS.sharesPerCore,
      environment: config.environment,
    };
  }
}

/** Installs what a session is to have from its start. @throws {ServiceError} COMMAND_FAILED with the reason, CANCELLED */
async function addFirst(
  packages: ShownPackages,
  wanted: WantedPackages,
  options: { signal: AbortSignal; log: CallLog },
): Promise<void> {
  try {
    await packages.add(wanted, options);
  } catch (error) {
    throw error instanceof InstallFailed ? asServiceError(error, 'packages') : error;
  }
}
