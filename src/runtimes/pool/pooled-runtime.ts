import { availableParallelism } from 'node:os';
import { languages } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import type { Sandbox } from '../../sandbox.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { DEFAULT_LIMITS } from '../default-limits.ts';
import { NoSandbox, type Shortage } from '../no-sandbox.ts';
import type { Runtime, RuntimeCapabilities, RuntimeRequest, RuntimeState, SandboxSpec } from '../runtime.ts';
import { AdvanceStarts } from './advance-starts.ts';
import { Pool, type Pooled } from './pool.ts';
import { interpreterFor, poolKey } from './pool-key.ts';
import { PooledSandbox } from './pooled-sandbox.ts';

/** Interpreters up to this size are pooled from the start; larger ones after their first use. */
const SMALL_MB = 16;
/**
 * Delay before a pool refills, milliseconds: the reply to `session.create`, or of a short program, goes out
 * first.
 */
const REPLY_MS = 2;
const PROGRAM_MS = 20;
const MOST_PER_CORE = 4;
/** Where sandboxes can't be resized, each size has its own pool. */
const MOST_PER_CORE_AND_SIZE = 2;
/** Observes every sandbox handed out: whether it was pooled, and how long it took. */
export type OnSandbox = (start: { runtime: string; pooled: boolean; seconds: number }) => void;
/** Observes every failed start, including those of pools. */
export type OnFailedStart = (start: { runtime: string; shortage: Shortage }) => void;

/** Limits that only a runtime that resizes can change. */
const FIXED = ['memoryBytes', 'diskBytes'] as const;

/**
 * Decorates a runtime with pools of unused sandboxes whose interpreters have started. Bursts larger than a
 * pool are served without it. Sandboxes wait with default limits and are resized when taken, where the
 * runtime can do that.
 */
export class PooledRuntime implements Runtime {
  readonly #runtime: Runtime;
  /** Size set by the operator; null adapts. */
  readonly #size: number | null;
  readonly #pools = new Map<string, Pool>();
  readonly #starts = new Map<Pool, AdvanceStarts>();
  readonly #onSandbox: OnSandbox;
  readonly #onFailedStart: OnFailedStart;
  #filling = false;
  #closed = false;

  constructor(
    runtime: Runtime,
    size: number | null,
    {
      onSandbox = () => {},
      onFailedStart = () => {},
    }: { onSandbox?: OnSandbox | undefined; onFailedStart?: OnFailedStart | undefined } = {},
  ) {
    this.#runtime = runtime;
    this.#size = size;
    this.#onSandbox = onSandbox;
    this.#onFailedStart = onFailedStart;
  }

  get type(): Runtime['type'] {
    return this.#runtime.type;
  }

  get isolationLevel(): number {
    return this.#runtime.isolationLevel;
  }

  get capabilities(): RuntimeCapabilities {
    return this.#runtime.capabilities;
  }

  get state(): RuntimeState {
    return this.#runtime.state;
  }

  get worthProbing(): Promise<void> | undefined {
    return this.#runtime.worthProbing;
  }

  /** Whether the runtime watches its own dependencies. */
  get watched(): boolean {
    return this.#runtime.watch !== undefined;
  }

  want(): void {
    this.#runtime.want?.();
  }

  watch(): void {
    this.#runtime.watch?.();
  }

  toolchainFor(language: Language): Toolchain | undefined {
    return this.#runtime.toolchainFor(language);
  }

  guestToolchainFor(language: Language): Toolchain | undefined {
    return this.#runtime.guestToolchainFor(language);
  }

  identify(language: Language, request: RuntimeRequest): Promise<string> {
    return this.#runtime.identify(language, request);
  }

  stateFor(language: Language, request?: RuntimeRequest): RuntimeState {
    return this.#runtime.stateFor(language, request);
  }

  async probe(): Promise<RuntimeState> {
    const state = await this.#runtime.probe();
    if (this.#filling) this.#fillDefaults();
    return state;
  }

  /** Starts filling the default pools, now and whenever the runtime becomes available. */
  fill(): void {
    this.#filling = true;
    this.#fillDefaults();
  }

  /** Resolves when each pool that there is has made its first sandbox, or failed to. */
  get warm(): Promise<unknown> {
    return Promise.all([...this.#pools.values()].map(pool => pool.warm));
  }

  refuses(request: RuntimeRequest): string | null {
    return this.#runtime.refuses(request);
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    const startedAt = performance.now();
    const { sandbox, pooled } = await this.#take(spec);
    this.#onSandbox({ runtime: this.type, pooled, seconds: (performance.now() - startedAt) / 1000 });
    return sandbox;
  }

  async #take(spec: SandboxSpec): Promise<{ sandbox: Sandbox; pooled: boolean }> {
    const pool = this.#poolFor(spec);
    const taken = pool?.take();
    if (taken) {
      if (await taken.resize(spec.limits)) return { sandbox: taken, pooled: true };
      void taken.close().catch(() => {});
    }
    return { sandbox: await this.#counted(this.#fresh(spec, pool)), pooled: false };
  }

  /** Counts failed starts. @throws {NoSandbox} */
  async #counted<T>(making: Promise<T>): Promise<T> {
    try {
      return await making;
    } catch (error) {
      if (error instanceof NoSandbox) this.#onFailedStart({ runtime: this.type, shortage: error.shortage });
      throw error;
    }
  }

  /** Creates a sandbox outside of the pools. */
  async #fresh(spec: SandboxSpec, pool: Pool | null): Promise<Sandbox> {
    const sandbox = await this.#runtime.create(spec);
    // Forking an interpreter now is still faster than starting one.
    const mayWait = pool !== null && !this.#starts.get(pool)!.rest;
    const preforks = mayWait && sandbox.preforks && interpreterFor(spec)?.preforks;
    return preforks ? this.#warmed(new PooledSandbox(sandbox, spec, null)) : sandbox;
  }

  /** Forking an interpreter costs less than starting one later, so that those are never left out. */
  async #waiting(spec: SandboxSpec, hurried: boolean, starts: AdvanceStarts): Promise<Pooled> {
    const sandbox = await this.#runtime.create(spec);
    const interpreter = interpreterFor(spec);
    const forks = sandbox.preforks && interpreter?.preforks;
    const pooled = new PooledSandbox(sandbox, spec, starts);
    return hurried && !forks ? pooled : this.#warmed(pooled);
  }

  /** @throws {NoSandbox} */
  async #warmed(sandbox: Pooled): Promise<Pooled> {
    try {
      await sandbox.warmUp();
      return sandbox;
    } catch (error) {
      throw new NoSandbox(this.type, error);
    }
  }

  /** Number of waiting sandboxes. */
  get waiting(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.count, 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pools.values()].map(pool => pool.close()));
    await this.#runtime.close();
  }

  #fillDefaults(): void {
    const { state } = this;
    if (!state.available || state.memoryMB > SMALL_MB || !this.capabilities.resize) return;
    for (const language of languages) {
      const toolchain = this.toolchainFor(language);
      for (const purpose of ['session', 'program'] as const)
        if (toolchain) this.#poolFor(defaultSpec({ language, toolchain, purpose }));
    }
  }

  /** The pool of a spec; null when it can't be pooled, which rules out forked interpreters too. */
  #poolFor(spec: SandboxSpec): Pool | null {
    const key =
      this.#closed || this.#size === 0 ? null : poolKey(spec, this.capabilities.resize ? [] : FIXED);
    if (key === null) return null;
    const pool = this.#pools.get(key) ?? this.#newPool(spec);
    this.#pools.set(key, pool);
    return pool;
  }

  #newPool(spec: SandboxSpec): Pool {
    const { state, capabilities } = this;
    const waits = { ...spec, limits: capabilities.resize ? DEFAULT_LIMITS : fixedLimits(spec) };
    const small = capabilities.resize && state.available && state.memoryMB <= SMALL_MB;
    const most = capabilities.resize ? MOST_PER_CORE : MOST_PER_CORE_AND_SIZE;
    const busyMs = spec.purpose === 'program' ? PROGRAM_MS : REPLY_MS;
    const options =
      this.#size === null
        ? {
            base: small ? 1 : 0,
            most: most * availableParallelism(),
            busyMs,
            dear: !capabilities.resize,
            rare: !isUsual(waits),
          }
        : { base: this.#size, most: this.#size, busyMs };
    const starts = new AdvanceStarts(spec.toolchain.name);
    const make = (hurried: boolean) => this.#counted(this.#waiting(waits, hurried, starts));
    const warmUp = (sandbox: Pooled) => this.#counted(this.#warmed(sandbox));
    const pool = new Pool(make, warmUp, options);
    this.#starts.set(pool, starts);
    return pool;
  }
}

/** Spec of a default pool. */
function defaultSpec(what: Pick<SandboxSpec, 'language' | 'toolchain' | 'purpose'>): SandboxSpec {
  return { ...what, limits: DEFAULT_LIMITS, request: {}, egress: null, layers: [] };
}

/** Whether it has the size that clients get who ask for none. */
function isUsual({ limits }: SandboxSpec): boolean {
  return FIXED.every(limit => limits[limit] === DEFAULT_LIMITS[limit]);
}

function fixedLimits({ limits: { memoryBytes, diskBytes } }: SandboxSpec): SandboxSpec['limits'] {
  return { ...DEFAULT_LIMITS, memoryBytes, diskBytes };
}
