import { logAbout } from '../../call-log.ts';
import { cancelled, invalid, ServiceError, shuttingDown } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { Networks } from '../../network/networks.ts';
import { InstallFailed } from '../../packages/install-failed.ts';
import type { InstallProgress } from '../../packages/layer-maker.ts';
import type { Packages } from '../../packages/packages.ts';
import type { Runtimes } from '../../runtimes/index.ts';
import type { FileSource } from '../../sandbox.ts';
import { type FilledExecution, fillExecution } from '../../schemas/defaults.ts';
import type { ExecuteRequest, ExecuteResponse, StatusResponse } from '../../schemas/execution.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import { Ledger } from '../admission/ledger.ts';
import type { Queue } from '../admission/queue.ts';
import type { Call, CallLog } from '../call.ts';
import { countRun } from '../count-run.ts';
import { asServiceError } from '../file-refusals.ts';
import { LeasedNetwork } from '../network/leased-network.ts';
import { type WantedNetwork, wantedNetwork } from '../network/wanted-network.ts';
import { progressEvent } from '../packages/install-progress.ts';
import { ShownPackages } from '../packages/shown-packages.ts';
import { type WantedPackages, wantedPackages } from '../packages/wanted-packages.ts';
import { type Lease, type LeaseRequest, openLease, type Plan, planLease } from '../placement/lease.ts';
import type { EventStream, Executions, Recalled, StartOptions } from '../service.ts';
import type { StatusBoard } from '../status/status-board.ts';
import type { Store, StoredExecution } from '../store/store.ts';
import { Execution } from './execution.ts';
import { LargeOutputs, urlOf } from './large-outputs.ts';
import { neverRan, type OneShot, type OneShotResult, readRequest, runOneShot } from './one-shot.ts';
import { replay } from './replay.ts';

export interface ExecutionSettings {
  readonly maxTimeoutSeconds: number;
  readonly maxMemoryMB: number;
  readonly maxOutputBytes: number;
  readonly maxStreamBytes: number;
  readonly replayBytes: number;
  readonly maxStoreBytes: number;
}

const NEVER = new AbortController().signal;
/** Where a request says what its network is. */
const FIELDS = { network: 'config.network', enabled: 'config.disableNetwork' };

/**
 * Runs that may hold output files in memory at once. Each holds them up to three times: as text, for the disk
 * and for the reply.
 */
const COLLECTORS = 2;

/** A run that nobody can ask for yet is stored when it has taken so long, or has ended, milliseconds. */
const STORED_AFTER_MS = 1000;

/** Large results that may be on their way into answers during one turn of the event loop. */
const ANSWERED_AT_ONCE = 2;
/** A smaller result takes no time worth waiting for, characters. */
const LARGE_RESULT = 256 * 1024;

/** What a text takes, at most and about, beside what every value of the engine's takes. */
const CHARACTER_BYTES = 2;
const TEXT_BYTES = 32;

const MB = 1024 * 1024;
/** Most bytes that waiting runs may hold: of one client, and in total. One leaves room for the next, as in the queue. */
const WAITING = { perOwner: 384 * MB, total: 512 * MB };

/** Bytes of the events of runs that have not ended, or are still read: beyond that each keeps fewer. */
const LOGS = { perOwner: 256 * MB, total: 512 * MB };

/** One-shot executions: accepted, queued, run in a sandbox of their own, stored. */
export class OneShots implements Executions {
  readonly #runtimes: Pick<Runtimes, 'all' | 'started'>;
  readonly #queue: Queue;
  readonly #store: Store;
  readonly #packages: Packages | null;
  readonly #networks: Networks | null;
  readonly #settings: ExecutionSettings;
  readonly #board: StatusBoard;
  readonly #metrics: Metrics;
  readonly #log: CallLog;
  /** Executions whose result is not on disk yet. */
  readonly #live = new Map<string, Execution>();
  /** Work that a shutdown waits for. */
  readonly #busy = new Set<Promise<void>>();
  readonly #large: LargeOutputs;
  readonly #collectors = new FairQueue(COLLECTORS, Number.POSITIVE_INFINITY);
  readonly #answers = new FairQueue(ANSWERED_AT_ONCE, Number.POSITIVE_INFINITY);
  readonly #waiting = new Ledger(WAITING);
  readonly #logs = new Ledger(LOGS);
  readonly #replays = new Ledger(LIMITS.replaysBytes);
  /** Nothing new is taken. */
  #draining = false;

  constructor(parts: {
    runtimes: Pick<Runtimes, 'all' | 'started'>;
    queue: Queue;
    store: Store;
    packages: Packages | null;
    networks: Networks | null;
    settings: ExecutionSettings;
    board: StatusBoard;
    metrics: Metrics;
    log: CallLog;
  }) {
    this.#runtimes = parts.runtimes;
    this.#queue = parts.queue;
    this.#store = parts.store;
    this.#packages = parts.packages;
    this.#networks = parts.networks;
    this.#settings = parts.settings;
    this.#large = new LargeOutputs(parts.store.files, parts.settings.maxStoreBytes, parts.log);
    this.#board = parts.board;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
  }

  async start(
    request: ExecuteRequest,
    call: Call,
    { interactive = false, live = true, awaited = false, note }: StartOptions = {},
  ): Promise<ExecuteResponse> {
    if (this.#draining) throw shuttingDown();
    await this.#runtimes.started;
    const filled = fillExecution(request, this.#settings);
    const wanted = wantedPackages(filled.config.packages, {
      field: 'config.packages',
      language: filled.language,
      on: this.#packages !== null,
    });
    const { network: asked, disableNetwork } = filled.config;
    const enabled = disableNetwork === undefined ? undefined : !disableNetwork;
    const network = wantedNetwork({ network: asked, enabled, fields: FIELDS }, this.#networks);
    const plan = this.#plan(filled, { packages: wanted !== null, egress: network?.egress ?? null });
    const shot = readRequest(filled, { fileName: plan.language.fileName, interactive, live });
    const execution = new Execution({
      owner: call.owner,
      language: plan.language.name,
      runtimeType: plan.runtime.type,
      replayBytes: this.#settings.replayBytes,
      logs: this.#logs,
      board: this.#board,
      note,
    });
    // However long the store takes before its id can be told.
    if (interactive) execution.expectReader();
    const packages = new ShownPackages(this.#packages, plan, call);
    const bytes = sizeOf(shot, plan) + CHARACTER_BYTES * (note?.length ?? 0);
    const enter = () => this.#enter(bytes, call.client, execution.run.cancelled);
    // Who waits for packages takes nobody's place.
    const place = wanted ? this.#add(wanted, packages, execution, call.log).then(enter) : enter();
    // A cancel may reject it before anything awaits it.
    place.catch(() => {});
    this.#live.set(execution.id, execution);
    const { createdAt } = execution.status;
    const mayWait = awaited && this.#store.problem === null && !this.#board.isFollowed(call.owner);
    const known = mayWait ? this.#insertLate(execution) : this.#insert(execution);
    // Started without waiting for the store: if the insert fails, the run is cancelled before its id was
    // given out.
    void this.#during(this.#run(execution, { plan, shot, packages, network }, place, call.log));
    try {
      await known;
    } catch (error) {
      execution.run.cancel();
      throw error;
    }
    return { executionId: execution.id, status: 'pending', createdAt };
  }

  #insert({ owner, status, note }: Execution): Promise<void> {
    return this.#during(this.#store.insert({ owner, status, events: [], note }));
  }

  /** Its end is told also where this can't be kept. */
  #insertLate(execution: Execution): void {
    const insert = () => void this.#insert(execution).catch(() => {});
    execution.storing = setTimeout(insert, STORED_AFTER_MS);
  }

  async #add(
    wanted: WantedPackages,
    packages: ShownPackages,
    execution: Execution,
    callLog: CallLog,
  ): Promise<void> {
    const log = logAbout(callLog, { executionId: execution.id });
    const onProgress = (progress: InstallProgress) => execution.emitter.progress(progressEvent(progress));
    await packages.add(wanted, { signal: execution.run.cancelled, log, onProgress });
  }

  /** Waits for a slot. Waiting runs are bounded in number and in bytes. @throws {ServiceError} QUEUE_FULL */
  #enter(bytes: number, client: string, cancelled: AbortSignal): Promise<() => void> {
    if (!this.#waiting.fits(client, bytes))
      throw new ServiceError('QUEUE_FULL', 'Too much is waiting already; try again later');
    const place = this.#queue.enter(client, cancelled);
    const release = () => this.#waiting.add(client, -bytes);
    this.#waiting.add(client, bytes);
    void place.then(release, release);
    return place;
  }

  async status(id: string, call: Call): Promise<StatusResponse> {
    return this.find(id, call)?.status ?? (await this.#stored(id, call)).status;
  }

  async recall(id: string, call: Call): Promise<Recalled> {
    const { status, note = null } = this.find(id, call) ?? (await this.#stored(id, call));
    return { status, note };
  }

  async wait(id: string, call: Call): Promise<StatusResponse> {
    const live = this.find(id, call);
    if (!live) return unlessCutOff((await this.#stored(id, call)).status);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(cancelled());
    call.signal.addEventListener('abort', abort, { once: true });
    if (call.signal.aborted) abort();
    try {
      const final = unlessCutOff(await Promise.race([live.ended, aborted.promise]));
      return await this.#inTurn(final, call);
    } finally {
      call.signal.removeEventListener('abort', abort);
    }
  }

  async cancel(id: string, call: Call): Promise<StatusResponse> {
    const live = this.find(id, call);
    if (!live) return (await this.#stored(id, call)).status;
    live.run.cancel();
    return this.#inTurn(await live.ended, call);
  }

  async outputFile(id: string, number: number, call: Call): Promise<{ source: FileSource; name: string }> {
    const { status } = await this.recall(id, call);
    const file = status.files.find(({ url }) => url === urlOf(id, number));
    if (!file) throw new ServiceError('NOT_FOUND', `Execution ${id} has no file ${number} to fetch`);
    const opened = this.#store.files.open(id, number, file.size ?? 0);
    return { source: await asServiceError(opened), name: file.path };
  }

  async events(id: string, call: Call, afterSeq: number): Promise<EventStream> {
    const live = this.find(id, call);
    if (live) return live.read(afterSeq, call.signal);
    const { events } = await this.#stored(id, call);
    return replay(events, afterSeq, { ledger: this.#replays, call });
  }

  /** A live execution of the caller's. */
  find(id: string, call: Call): Execution | undefined {
    const live = this.#live.get(id);
    return live?.owner === call.owner ? live : undefined;
  }

  /** Takes nothing new; resolves when what was taken before has ended and is on disk. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#busy.size) await Promise.allSettled(this.#busy);
  }

  /** Cuts off what runs and resolves when all of it is on disk. */
  async stop(): Promise<void> {
    this.#draining = true;
    for (const execution of this.#live.values()) execution.run.cancel('shutdown');
    while (this.#busy.size) await Promise.allSettled(this.#busy);
  }

  #during(work: Promise<void>): Promise<void> {
    this.#busy.add(work);
    const done = () => this.#busy.delete(work);
    work.then(done, done);
    return work;
  }

  #plan(request: FilledExecution, more: Pick<LeaseRequest, 'packages' | 'egress'>): Plan {
    const { config } = request;
    const { maxTimeoutSeconds, maxMemoryMB } = this.#settings;
    for (const field of ['timeout', 'compileTimeout', 'cpuTime'] as const) {
      if ((config[field] ?? 0) > maxTimeoutSeconds) {
        throw invalid(`config.${field}`, `is over the ${maxTimeoutSeconds} seconds of this server`);
      }
    }
    if (config.memoryLimit > maxMemoryMB) {
      throw invalid('config.memoryLimit', `is over the ${maxMemoryMB} MB of this server`);
    }
    if (JSON.stringify(config.environment).length > LIMITS.environmentLength)
      throw invalid('config.environment', `is over ${LIMITS.environmentLength} characters of JSON`);
    return planLease(this.#runtimes.all, {
      language: request.language,
      runtimeType: request.runtimeType,
      runtimePreference: request.runtimePreference,
      request: {
        ...(request.dockerImage !== undefined && { dockerImage: request.dockerImage }),
        ...(config.readOnlyFilesystem !== undefined && { readOnlyFilesystem: config.readOnlyFilesystem }),
      },
      ...more,
      purpose: 'program',
      memoryMB: config.memoryLimit,
      cpus: config.cpuLimit,
      environment: config.environment,
    });
  }

  /** Runs an execution to its end. Logs its five steps: admitted, placed, started, ended, closed. */
  async #run(
    execution: Execution,
    {
      plan,
      shot,
      packages,
      network,
    }: { plan: Plan; shot: OneShot; packages: ShownPackages; network: WantedNetwork | null },
    place: Promise<() => void>,
    log: CallLog,
  ): Promise<void> {
    const executionId = execution.id;
    let leave: (() => void) | undefined;
    let leaveCollectors: (() => void) | undefined;
    let lease: Lease | undefined;
    let result: OneShotResult;
    const takenAt = performance.now();
    try {
      leave = await place;
      const waitedMs = performance.now() - takenAt;
      this.#metrics.queueWait.observe(waitedMs / 1000);
      log.debug({ executionId, waitedMs: Math.round(waitedMs) }, 'admitted');
      lease = await openLease(plan);
      const { runtime, language, sandbox } = lease;
      await packages.show(lease);
      using opened = await LeasedNetwork.open(
        this.#networks,
        sandbox,
        network,
        logAbout(log, { executionId }),
      );
      lease = { ...lease, env: packages.withPath(lease.env) };
      log.debug(
        { executionId, language: language.name, runtimeType: runtime.type, sandbox: sandbox.id },
        'placed',
      );
      result = await runOneShot(lease, shot, this.#settings, execution.run.cancelled, {
        sink: (stream, data) => execution.emitter.output(stream, data),
        around: run => (opened ? opened.during(denial => execution.denied(denial), run) : run()),
        onStart: handle => {
          execution.started(handle);
          log.debug({ executionId }, 'started');
        },
        beforeFiles: async () => {
          leaveCollectors = await this.#collectors.enter(execution.owner ?? executionId, NEVER);
        },
        keepLarge: outputs => this.#large.keep(execution, sandbox, outputs),
      });
    } catch (error) {
      if (error instanceof ServiceError || error instanceof InstallFailed)
        log.info({ executionId, code: codeOf(error), reason: error.message }, 'a run could not begin');
      else log.error({ err: error, executionId }, 'a run failed');
      result = neverRan(shot, error, execution.run.cancelled.aborted);
      await this.#store.files.remove(executionId).catch(() => {});
    }
    const { outcome, exitCode, durationMs } = result.runResult;
    log.debug({ executionId, outcome, exitCode, durationMs }, 'ended');
    try {
      const kept = this.#keep(execution, execution.finish(result), shot);
      // While the store writes.
      countRun(this.#metrics, plan, result.runResult);
      await kept;
    } finally {
      leaveCollectors?.();
      this.#large.stored(executionId);
    }
    // Closing a sandbox takes time, so the reply goes out first: it is some promises away.
    await new Promise(setImmediate);
    await lease?.sandbox.close().catch((error: unknown) => {
      log.error({ err: error, executionId }, 'a sandbox did not close');
    });
    leave?.();
    packages[Symbol.dispose]();
    log.debug({ executionId }, 'closed');
  }

  /**
   * Stores the result, then publishes it. A failing store is reported on /health; the client still gets the
   * result. The JSON of a large one is written in its turn, for the store and for whoever waits.
   */
  async #keep(execution: Execution, whole: StatusResponse, { outputs }: OneShot): Promise<void> {
    let final = whole;
    clearTimeout(execution.storing);
    try {
      if (lengthOf(whole) > LARGE_RESULT)
        await this.#answerTurn({ client: execution.owner ?? execution.id, signal: NEVER });
      await this.#store.finish(execution.storable(whole));
    } catch (error) {
      this.#log.error({ err: error, execution: execution.id }, 'a result could not be kept');
      final = withoutLinks(whole, outputs);
      await this.#store.files.remove(execution.id).catch(() => {});
    }
    execution.notify(final);
    this.#live.delete(execution.id);
  }

  /**
   * Hands out a large result when it is its turn: writing it as JSON holds the event loop, and many clients may
   * wait for the same one.
   */
  async #inTurn(status: StatusResponse, call: Call): Promise<StatusResponse> {
    if (lengthOf(status) > LARGE_RESULT) await this.#answerTurn(call);
    return status;
  }

  /** Waits until an answer may be built, which the caller does before the event loop turns. */
  async #answerTurn({ client, signal }: Pick<Call, 'client' | 'signal'>): Promise<void> {
    setImmediate(await this.#answers.enter(client, signal));
  }

  /** A stored result is read in its turn, because it may be large. */
  async #stored(id: string, call: Call): Promise<StoredExecution> {
    const leave = await this.#answers.enter(call.client, call.signal);
    const stored = await this.#store.get(id).finally(() => setImmediate(leave));
    if (stored && stored.owner === call.owner) return stored;
    throw new ServiceError('NOT_FOUND', `Execution not found: ${id}`);
  }
}

/** @throws {ServiceError} SHUTTING_DOWN for a run that the server ended to shut down; only such a one has a message */
function unlessCutOff(final: StatusResponse): StatusResponse {
  if (final.message === undefined) return final;
  throw shuttingDown(`${final.executionId} was cut off; its status is kept`);
}

function codeOf(error: ServiceError | InstallFailed): string {
  return error instanceof ServiceError ? error.code : error.reason;
}

function lengthOf({ stdout, stderr, files }: StatusResponse): number {
  return files.reduce((sum, { content = '' }) => sum + content.length, stdout.length + stderr.length);
}

/** Nothing can be fetched of a result that is not kept. */
function withoutLinks(final: StatusResponse, outputs: OneShot['outputs']): StatusResponse {
  const links = new Set(final.files.flatMap(({ url }) => url ?? []));
  if (links.size === 0) return final;
  const lost = outputs.filter(
    ({ number, optional }) => !optional && links.has(urlOf(final.executionId, number)),
  );
  return {
    ...final,
    files: final.files.filter(({ url }) => url === undefined),
    missingFiles: [...final.missingFiles, ...lost.map(({ name }) => name)],
  };
}

/** Approximate size of a request, bytes. */
function sizeOf({ code, args, stdin = '', files, outputs }: OneShot, { environment }: Plan): number {
  const texts = [code, stdin, ...args, ...Object.entries(environment).flat()];
  const held = texts.reduce((sum, text) => sum + CHARACTER_BYTES * text.length + TEXT_BYTES, 0);
  const ofOutputs = outputs.reduce(
    (sum, { path }) => sum + 2 * CHARACTER_BYTES * path.length + TEXT_BYTES,
    held,
  );
  return files.reduce((sum, { path, data }) => sum + path.length + data.byteLength + TEXT_BYTES, ofOutputs);
}
