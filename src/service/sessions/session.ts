import { directoryIn, workspacePath } from '../../commands/paths.ts';
import { ServiceError } from '../../errors.ts';
import type { Language } from '../../languages/language.ts';
import { USER_HOME, WORKSPACE } from '../../sandbox.ts';
import type { FilledSession } from '../../schemas/defaults.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { NetworkRules } from '../../schemas/network.ts';
import type { SessionConfig, SessionInfo, SessionState } from '../../schemas/session.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import type { Ledger } from '../admission/ledger.ts';
import { EventLog } from '../events/event-log.ts';
import { CompiledPrograms } from '../kernels/compiled-programs.ts';
import { KernelSlot } from '../kernels/kernel-slot.ts';
import type { LeasedNetwork } from '../network/leased-network.ts';
import type { ShownPackages } from '../packages/shown-packages.ts';
import type { Lease } from '../placement/lease.ts';
import { RunNotices } from '../status/run-notices.ts';
import type { StatusBoard } from '../status/status-board.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import { Gate } from './gate.ts';
import type { KeptRuns } from './kept-runs.ts';

const MINUTE_MS = 60_000;

/** Events that are kept of a command that has its own, bytes. */
const APART_BYTES = 256 * 1024;

/** Accounts of the memory that all sessions share in this process. */
export interface SharedMemory {
  /** Commands that wait or run. */
  readonly commands: Ledger;
  /** Output of commands that run. */
  readonly output: Ledger;
  /** Files that are being read and listed. */
  readonly reads: Ledger;
  /** Events kept for replay. */
  readonly replay: Ledger;
  readonly runs: KeptRuns;
}

/** A leased sandbox with state: kernels, files, commands and their events. */
export class Session implements AsyncDisposable {
  readonly id: string;
  readonly owner: string | null;
  readonly config: FilledSession;
  readonly lease: Lease;
  readonly log: EventLog;
  readonly programs: CompiledPrograms;
  readonly packages: ShownPackages;
  /** Null for a session without one. */
  readonly network: LeasedNetwork | null;
  readonly gate = new Gate();
  readonly memory: SharedMemory;
  /** Position among all sessions of this server. */
  readonly number: number;
  /** Size of its configuration in a list, bytes of JSON; undefined until somebody lists it as it is. */
  #listedBytes: number | undefined;
  /** As they are now; undefined where none were named. */
  #networkRules: NetworkRules | undefined;
  readonly #createdAt = Date.now();
  readonly #bornAt = performance.now();
  /** From its creation to its end. */
  #lifetimeMs: number;
  #lastActivity = Date.now();
  #activeAt = performance.now();
  #commands = 0;
  #foreground = 0;
  /** What else keeps it from being idle. */
  #held = 0;
  #closing: Promise<void> | undefined;
  #closed = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #board: StatusBoard;
  readonly #replayBytes: number;
  /** The state that was told last. */
  #told: SessionState = 'Active';
  readonly #runs = new Map<string, CommandRun>();
  readonly #contexts = new Map<string, KernelSlot>();

  constructor(parts: {
    id: string;
    number: number;
    owner: string | null;
    config: FilledSession;
    lease: Lease;
    packages: ShownPackages;
    network: LeasedNetwork | null;
    replayBytes: number;
    memory: SharedMemory;
    board: StatusBoard;
  }) {
    const { owner, lease, memory, board } = parts;
    this.id = parts.id;
    this.number = parts.number;
    this.owner = owner;
    this.config = parts.config;
    this.#lifetimeMs = parts.config.maxLifetimeMinutes * MINUTE_MS;
    this.#replayBytes = parts.replayBytes;
    this.#networkRules = parts.config.network;
    this.lease = lease;
    this.packages = parts.packages;
    this.network = parts.network;
    this.memory = memory;
    this.#board = board;
    this.log = new EventLog(parts.replayBytes, { ledger: memory.replay, owner });
    this.programs = new CompiledPrograms(lease.sandbox);
  }

  /** A program's whole environment. */
  get env(): Readonly<Record<string, string>> {
    return this.packages.withPath(this.lease.env);
  }

  get state(): SessionState {
    if (this.#closed) return 'Closed';
    if (this.#closing) return 'Closing';
    return this.#commands === 0 || this.#foreground > 0 ? 'Active' : 'Idle';
  }

  /** Reason to end the session now, or null. Uses a monotonic clock, so setting the time back has no effect. */
  get overdue(): 'idle' | 'lifetime' | null {
    const now = performance.now();
    if (now - this.#bornAt >= this.#lifetimeMs) return 'lifetime';
    const idle =
      this.#foreground + this.#held === 0 &&
      now - this.#activeAt >= this.config.idleTimeoutMinutes * MINUTE_MS;
    return idle ? 'idle' : null;
  }

  /** Has its lifetime end so long after now; one that ends later stays as it is with `onlyLater`. */
  endAfter(ms: number, onlyLater: boolean): void {
    this.touch();
    const lifetimeMs = performance.now() - this.#bornAt + ms;
    this.#lifetimeMs = onlyLater ? Math.max(this.#lifetimeMs, lifetimeMs) : lifetimeMs;
  }

  /** Where programs start, and see its files. */
  get home(): string {
    return this.lease.request.home ? USER_HOME : WORKSPACE;
  }

  /** Where a program is to start, as the client wrote it: in a session with a home anywhere. @throws {ServiceError} naming the field */
  directory(path = '.', field: string): string {
    return this.lease.request.home ? directoryIn(USER_HOME, path, field) : workspacePath(path, field);
  }

  /** Events of one command, apart from those of the others. */
  logApart(): EventLog {
    const share = { ledger: this.memory.replay, owner: this.owner };
    return new EventLog(Math.min(this.#replayBytes, APART_BYTES), share);
  }

  touch(): void {
    this.#lastActivity = Date.now();
    this.#activeAt = performance.now();
  }

  /** Of a batch, whose commands begin on their own, `commands` is 0. @throws {ServiceError} SESSION_CLOSED while it closes */
  begin(run: CommandRun, commands = 1): void {
    if (this.#closing) throw new ServiceError('SESSION_CLOSED', `Session ${this.id} is closing`);
    this.touch();
    this.#commands += commands;
    if (!run.background) this.#foreground++;
    this.#runs.set(run.executionId, run);
    const { executionId, commandId } = run;
    run.notices = new RunNotices(this.#board, this.owner, { executionId, sessionId: this.id, commandId });
    this.#tellState();
  }

  /** Forgets a command that has begun and was not done. */
  skip(run: CommandRun): void {
    this.#commands--;
    run.notices = undefined;
    run.finished('cancelled', {});
    this.finish(run, { forget: true });
  }

  finish(run: CommandRun, { forget = false } = {}): void {
    this.touch();
    if (!run.background) this.#foreground--;
    this.#tellState();
    if (forget) return void this.#runs.delete(run.executionId);
    const { runs } = this.memory;
    if (!this.#closed) runs.add(this.owner, run, () => this.#runs.delete(run.executionId));
    for (const [id, old] of this.#runs) {
      if (this.#runs.size <= LIMITS.keptCommands) break;
      if (old.running) continue;
      this.#runs.delete(id);
      runs.drop(this.owner, old);
    }
  }

  /** Keeps it from being idle until it is disposed of, without being a command. @throws {ServiceError} SESSION_CLOSED while it closes */
  hold(): Disposable {
    if (this.#closing) throw new ServiceError('SESSION_CLOSED', `Session ${this.id} is closing`);
    this.touch();
    this.#held++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#held--;
        held = false;
        this.touch();
      },
    };
  }

  /** Empties /workspace, in a session that keeps nothing from command to command. */
  async clearFiles(): Promise<void> {
    if (!this.config.persistFilesystem) await this.lease.sandbox.files.clear().catch(() => {});
  }

  /** A command that runs or ended lately. */
  run(executionId: string): CommandRun | undefined {
    return this.#runs.get(executionId);
  }

  /** Of every command that {@link run} finds. */
  get executionIds(): string[] {
    return [...this.#runs.keys()];
  }

  /** The newest command of that id, of those that run or ended lately. */
  command(commandId: string): CommandRun | undefined {
    return [...this.#runs.values()].findLast(run => run.commandId === commandId);
  }

  /** Resolves when what runs has ended, but for what may run as long as the session; null when nothing does. */
  drained(): Promise<unknown> | null {
    const awaited = [...this.#runs.values()].filter(run => run.running && !run.endless);
    return awaited.length === 0 ? null : Promise.all(awaited.map(run => run.ended));
  }

  /** In the order they began. */
  runningCommands(): CommandRun[] {
    return [...this.#runs.values()].filter(run => run.running);
  }

  /** The running command of that id, or the last one started. */
  runningCommand(commandId: string | undefined): CommandRun | undefined {
    return [...this.#runs.values()].findLast(
      run => run.running && (commandId === undefined || run.commandId === commandId),
    );
  }

  /** The context of that name; languages that share a kernel, as JavaScript and TypeScript do, share it. */
  context(name: string, language: Language, { kernel }: Toolchain): KernelSlot {
    const argv = kernel?.argv(this.lease.permissions);
    const key = `${argv?.join(' ') ?? language.name}\0${name}`;
    let context = this.#contexts.get(key);
    if (!context) {
      if (this.#contexts.size >= LIMITS.contexts) {
        const message = `context: the session has had ${LIMITS.contexts} already, the most allowed`;
        throw new ServiceError('CONFLICT', message, { field: 'context' });
      }
      const command = kernel && argv ? { ...kernel, argv } : null;
      context = new KernelSlot(name, this.lease.sandbox, command, this.env, this.home);
      this.#contexts.set(key, context);
    }
    return context;
  }

  /** How often each context has been used so far. */
  usedContexts(): ReadonlyMap<KernelSlot, number> {
    return new Map([...this.#contexts.values()].map(slot => [slot, slot.turns]));
  }

  /** Restarts the contexts that have been used since then, and returns their names. */
  restartUsed(before: ReadonlyMap<KernelSlot, number>): string[] {
    const used = [...this.#contexts.values()].filter(slot => slot.turns !== (before.get(slot) ?? 0));
    for (const slot of used) slot.restart();
    return [...new Set(used.map(({ name }) => name))];
  }

  restartContexts(name: string): void {
    for (const context of this.#contexts.values()) if (context.name === name) context.restart();
  }

  closeContexts(name: string): void {
    for (const [key, context] of this.#contexts) {
      if (context.name !== name) continue;
      this.#contexts.delete(key);
      context.close();
    }
  }

  /** Resolves when nothing of it remains. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Ends its commands and its sandbox; resolves when nothing of it remains. Idempotent. */
  close(by: 'client' | 'shutdown' = 'client'): Promise<void> {
    this.#closing ??= this.#close(by);
    this.#tellState();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(by: 'client' | 'shutdown'): Promise<void> {
    for (const run of this.#runs.values()) if (run.running) run.cancel(by);
    try {
      await this.lease.sandbox.close();
      // Their `execution.completed` events come before the log ends.
      await Promise.all([...this.#runs.values()].map(run => run.ended));
    } finally {
      this.#closed = true;
      this.#tellState();
      this.log.end();
      this.#ended.resolve();
      this.packages[Symbol.dispose]();
      this.network?.[Symbol.dispose]();
      for (const run of this.#runs.values()) this.memory.runs.drop(this.owner, run);
    }
  }

  get listedBytes(): number {
    this.#listedBytes ??= Buffer.byteLength(JSON.stringify(this.#listedConfig()));
    return this.#listedBytes;
  }

  /** Its rules have been changed to these. */
  showNetwork(rules: NetworkRules): void {
    this.#networkRules = rules;
    this.#listedBytes = undefined;
  }

  /** Once others can find it. */
  tellCreated(): void {
    const { runtime, language } = this.lease;
    const created = { sessionId: this.id, language: language.name, runtimeType: runtime.type };
    this.#board.tell(this.owner, 'session.created', created);
  }

  #tellState(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    this.#board.tell(this.owner, 'session.state', { sessionId: this.id, state });
  }

  /** The session as listed: without its environment. */
  listed(): SessionInfo {
    return { ...this.info(), config: this.#listedConfig() };
  }

  #listedConfig(): SessionConfig {
    const { environment: _, ...config } = this.#currentConfig();
    return config;
  }

  #currentConfig(): FilledSession {
    const network = this.#networkRules;
    return { ...this.config, ...(network && { network }), maxLifetimeMinutes: this.#lifetimeMs / MINUTE_MS };
  }

  info(): SessionInfo {
    const now = Date.now();
    const { sandbox, runtime, language } = this.lease;
    return {
      sessionId: this.id,
      environmentId: sandbox.id,
      containerId: sandbox.id,
      runtimeType: runtime.type,
      language: language.name,
      state: this.state,
      createdAt: new Date(this.#createdAt).toISOString(),
      lastActivity: new Date(this.#lastActivity).toISOString(),
      executionCount: this.#commands,
      idleMinutes: this.#foreground > 0 ? 0 : minutes(now - this.#lastActivity),
      lifetimeMinutes: minutes(now - this.#createdAt),
      config: this.#currentConfig(),
    };
  }
}

/** To a thousandth, never negative. */
function minutes(ms: number): number {
  return Math.round(Math.max(0, ms) / 60) / 1000;
}
