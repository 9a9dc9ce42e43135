import { availableParallelism } from 'node:os';
import { languages } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import type { Sandbox } from '../../sandbox.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { DEFAULT_LIMITS } from '../default-limits.ts';
import { NoSandbox, type Shortage } from '../no-sandbox.ts';
import type { Runtime, RuntimeCapabilities, RuntimeRequest, RuntimeState, SandboxSpec } from '../runtime.ts';
import { Pool } from './pool.ts';
import { interpreterFor, poolKey } from './pool-key.ts';
import { PooledSandbox } from './pooled-sandbox.ts';

/** Kept before anybody has asked, where an interpreter is this small; the others wait to be asked for once. */
const SMALL_MB = 16;
/** The reply to `session.create` goes out first, and so does that of a program which is short. */
const REPLY_MS = 2;
const PROGRAM_MS = 20;
const MOST_PER_CORE = 4;
/** Where a waiting sandbox can't be resized, each size has a pool of its own. */
const MOST_PER_CORE_AND_SIZE = 2;
/** Told of every sandbox handed out: whether it waited, and how long it took. */
export type OnSandbox = (told: { runtime: string; pooled: boolean; seconds: number }) => void;
/** Told of every sandbox that could not be started, also of those that nobody waits for. */
export type OnFailedStart = (told: { runtime: string; shortage: Shortage }) => void;

/** Limits that only a runtime that resizes can change. */
const FIXED = ['memoryBytes', 'diskBytes'] as const;

/**
 * A runtime whose sandboxes wait before they are asked for, never used by anybody, with their interpreter started. A
 * burst that is larger than what waits is served as if nothing waited. They wait with the default limits, and are given
 * others when they are taken, where their runtime can do that.
 */
export class PooledRuntime implements Runtime {
  readonly #runtime: Runtime;
  /** Fixed by the operator; null adapts. */
  readonly #size: number | null;
  readonly #pools = new Map<string, Pool>();
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

  /** Whether its runtime looks after what it depends on by itself. */
  get watched(): boolean {
    return this.#runtime.watch !== undefined;
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

  stateFor(language: Language, request?: RuntimeRequest): RuntimeState {
    return this.#runtime.stateFor(language, request);
  }

  async probe(): Promise<RuntimeState> {
    const state = await this.#runtime.probe();
    if (this.#filling) this.#fillDefaults();
    return state;
  }

  /** Begins to keep what waits before anybody has asked, now and whenever the runtime becomes available. */
  fill(): void {
    this.#filling = true;
    this.#fillDefaults();
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
    return { sandbox: await this.#counted(this.#fresh(spec, pool !== null)), pooled: false };
  }

  /** @throws {NoSandbox} which is counted */
  async #counted<T>(making: Promise<T>): Promise<T> {
    try {
      return await making;
    } catch (error) {
      if (error instanceof NoSandbox) this.#onFailedStart({ runtime: this.type, shortage: error.shortage });
      throw error;
    }
  }

  /** One that did not wait. */
  async #fresh(spec: SandboxSpec, mayWait: boolean): Promise<Sandbox> {
    const sandbox = await this.#runtime.create(spec);
    // To have an interpreter forked is faster than to start it, even now.
    const preforks = mayWait && sandbox.preforks && interpreterFor(spec)?.preforks;
    return preforks ? this.#prepare(sandbox, spec) : sandbox;
  }

  async #waiting(spec: SandboxSpec): Promise<PooledSandbox> {
    return this.#prepare(await this.#runtime.create(spec), spec);
  }

  async #prepare(sandbox: Sandbox, spec: SandboxSpec): Promise<PooledSandbox> {
    try {
      return await PooledSandbox.prepare(sandbox, spec);
    } catch (error) {
      throw new NoSandbox(this.type, error);
    }
  }

  /** How many sandboxes wait. */
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

  /** Null where nothing may wait, which goes for interpreters that are forked as well. */
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
        ? { base: small ? 1 : 0, most: most * availableParallelism(), busyMs }
        : { base: this.#size, most: this.#size, busyMs };
    return new Pool(() => this.#counted(this.#waiting(waits)), options);
  }
}

/** What waits before anybody has asked. */
function defaultSpec(what: Pick<SandboxSpec, 'language' | 'toolchain' | 'purpose'>): SandboxSpec {
  return { ...what, limits: DEFAULT_LIMITS, request: {}, egress: null, layers: [] };
}

function fixedLimits({ limits: { memoryBytes, diskBytes } }: SandboxSpec): SandboxSpec['limits'] {
  return { ...DEFAULT_LIMITS, memoryBytes, diskBytes };
}
