import { availableParallelism } from 'node:os';
import type { Sandbox, SandboxLimits } from '../../sandbox.ts';
import { noSandbox } from '../no-sandbox.ts';
import type { Runtime, RuntimeOptions, RuntimeState, SandboxSpec } from '../runtime.ts';
import { USUAL_LIMITS } from '../usual-limits.ts';
import { Shelf } from './shelf.ts';
import { type Stock, stockFor } from './stock.ts';
import { WarmSandbox } from './warm-sandbox.ts';

/** Kept before anybody has asked, where an interpreter is this small; the others wait to be asked for once. */
const SMALL_MB = 16;
/** The reply to `session.create` goes out first, and so does that of a program which is short. */
const REPLY_MS = 2;
const PROGRAM_MS = 20;
const MOST_PER_CORE = 4;
/** Each has processes of the engine's beside its own. */
const MOST_CONTAINERS_PER_CORE = 2;
/**
 * A runtime whose sandboxes wait before they are asked for, never used by anybody, with their interpreter started. A
 * burst that is larger than what waits is served as if nothing waited. They wait with the usual limits, and are given others
 * when they are taken, where their runtime can do that. What a request asks beside a language and limits (an image,
 * permissions, a writable root) is made when it is asked for.
 */
export class WarmRuntime implements Runtime {
  readonly #runtime: Runtime;
  /** Fixed by the operator; null adapts. */
  readonly #size: number | null;
  readonly #shelves = new Map<string, Shelf>();
  #stocking = false;
  #closed = false;

  constructor(runtime: Runtime, size: number | null) {
    this.#runtime = runtime;
    this.#size = size;
  }

  get type(): Runtime['type'] {
    return this.#runtime.type;
  }

  get isolationLevel(): number {
    return this.#runtime.isolationLevel;
  }

  get languages(): readonly string[] {
    return this.#runtime.languages;
  }

  get state(): RuntimeState {
    return this.#runtime.state;
  }

  stateFor(language: string, options?: RuntimeOptions): RuntimeState {
    return this.#runtime.stateFor(language, options);
  }

  async probe(): Promise<RuntimeState> {
    const state = await this.#runtime.probe();
    if (this.#stocking) this.#stockUsual();
    return state;
  }

  /** Begins to keep what waits before anybody has asked, now and whenever the runtime becomes available. */
  stock(): void {
    this.#stocking = true;
    this.#stockUsual();
  }

  refuses(options: RuntimeOptions): string | null {
    return this.#runtime.refuses(options);
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    const stock = this.#stockFor(spec);
    const taken = stock && this.#shelfFor(stock, spec.limits).take();
    if (taken) {
      if (await taken.resize(spec.limits)) return taken;
      void taken.close().catch(() => {});
    }
    const sandbox = await this.#runtime.create(spec);
    // To have one forked is faster than to start it, even now.
    return sandbox.forks && stock?.interpreter?.forks ? this.#prepare(sandbox, stock) : sandbox;
  }

  async #prepare(sandbox: Sandbox, stock: Stock): Promise<WarmSandbox> {
    try {
      return await WarmSandbox.prepare(sandbox, stock);
    } catch (error) {
      throw noSandbox(this.type, error);
    }
  }

  /** How many sandboxes wait. */
  get waiting(): number {
    return [...this.#shelves.values()].reduce((sum, shelf) => sum + shelf.count, 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#shelves.values()].map(shelf => shelf.close()));
  }

  #stockUsual(): void {
    const { state } = this;
    if (!state.available || state.memoryMB > SMALL_MB || this.type === 'Docker') return;
    for (const language of this.languages) {
      for (const purpose of ['session', 'program'] as const)
        this.#stockShelf({ language, purpose, limits: USUAL_LIMITS, options: {} });
    }
  }

  #stockShelf(spec: SandboxSpec): void {
    const stock = this.#stockFor(spec);
    if (stock) this.#shelfFor(stock, spec.limits);
  }

  /** What could wait for such a request; null where nothing may, which goes for interpreters that are forked as well. */
  #stockFor(spec: SandboxSpec): Stock | null {
    const special = Object.values(spec.options).some(asked => asked !== undefined);
    return this.#closed || this.#size === 0 || special ? null : stockFor(this.type, spec);
  }

  #shelfFor(stock: Stock, { memoryBytes }: SandboxLimits): Shelf {
    // A container's disks can't change their size.
    const limits = this.type === 'Docker' ? { ...USUAL_LIMITS, memoryBytes } : USUAL_LIMITS;
    const name = `${stock.name} ${limits.memoryBytes}`;
    const shelf = this.#shelves.get(name) ?? this.#newShelf(stock, limits);
    this.#shelves.set(name, shelf);
    return shelf;
  }

  #newShelf(stock: Stock, limits: SandboxLimits): Shelf {
    const { language, purpose } = stock;
    const { state } = this;
    const isContainer = this.type === 'Docker';
    const small = !isContainer && state.available && state.memoryMB <= SMALL_MB;
    const most = isContainer ? MOST_CONTAINERS_PER_CORE : MOST_PER_CORE;
    const busyMs = purpose === 'program' ? PROGRAM_MS : REPLY_MS;
    const options =
      this.#size === null
        ? { base: small ? 1 : 0, most: most * availableParallelism(), busyMs }
        : { base: this.#size, most: this.#size, busyMs };
    const make = async () =>
      this.#prepare(await this.#runtime.create({ language, purpose, limits, options: {} }), stock);
    return new Shelf(make, options);
  }
}
