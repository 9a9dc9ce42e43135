import { ServiceError } from '../../errors.ts';
import { type Sandbox, WORKSPACE } from '../../sandbox.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import type { CellDebugger } from './cell-debugger.ts';
import { KernelClient, type KernelCommand } from './kernel-client.ts';

/** Most cells that may wait for one kernel. */
const MAX_WAITING_CELLS = 1000;

/**
 * A named kernel of a session: started by its first cell, replaced when it dies, one cell at a time. Compiled
 * languages have no kernel; their cells still run one at a time and are counted.
 */
export class KernelSlot {
  readonly name: string;
  readonly #start: (cwd: string) => Promise<KernelClient>;
  readonly #home: string;
  readonly #turn = new FairQueue(1, MAX_WAITING_CELLS);
  #kernel: KernelClient | undefined;
  #closed = false;
  /** Cells run so far, through every restart. */
  cells = 0;
  /** Turns given so far. */
  turns = 0;
  /** Of its cells; its kernel may not be connected to it yet. */
  debugger: CellDebugger | null = null;

  constructor(
    name: string,
    sandbox: Sandbox,
    kernel: KernelCommand | null,
    env: Readonly<Record<string, string>>,
    home: string,
  ) {
    this.name = name;
    this.#home = home;
    this.#start = cwd => {
      if (!kernel) throw new Error(`${name} has no kernel`);
      // Some are told where programs start, and start elsewhere themselves.
      const argv = kernel.argv.map(word => (word === WORKSPACE ? cwd : word));
      return KernelClient.start(sandbox, { ...kernel, argv }, env, cwd);
    };
  }

  /** The debugger that its kernel is connected to. A kernel that takes the place of one that died is to none. */
  get connectedDebugger(): CellDebugger | null {
    const kernel = this.#kernel;
    return kernel && !kernel.dead && this.debugger?.kernel === kernel ? this.debugger : null;
  }

  /** Waits until no other cell of this context runs; the returned function ends the turn. */
  async turn(signal: AbortSignal): Promise<() => void> {
    const end = await this.#turn.enter(this.name, signal);
    this.turns++;
    return end;
  }

  /** `cwd`: where it starts, if it does. @throws {ServiceError} CONFLICT once the context is closed */
  async kernel(cwd = this.#home): Promise<KernelClient> {
    this.#mustBeOpen();
    if (this.#kernel?.dead) this.#kernel = undefined;
    this.#kernel ??= await this.#start(cwd);
    if (this.#closed) this.restart();
    this.#mustBeOpen();
    return this.#kernel!;
  }

  /** Of it nothing remains: cells that still wait for it are refused. */
  close(): void {
    this.#closed = true;
    this.restart();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ServiceError('CONFLICT', 'The context was closed', { field: 'context' });
  }

  /** Kills the kernel and a running cell with it; the next cell starts a new one. */
  restart(): void {
    this.#kernel?.kill();
    this.#kernel = undefined;
  }
}
