import type { Sandbox } from '../../sandbox.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import { KernelClient, type KernelCommand } from './kernel-client.ts';

/** Most cells that may wait for one kernel. */
const MAX_WAITING_CELLS = 1000;

/**
 * A named kernel of a session: started by its first cell, replaced when it dies, one cell at a time. Compiled
 * languages have no kernel; their cells still run one at a time and are counted.
 */
export class KernelSlot {
  readonly name: string;
  readonly #start: () => Promise<KernelClient>;
  readonly #turn = new FairQueue(1, MAX_WAITING_CELLS);
  #kernel: KernelClient | undefined;
  /** Cells run so far, through every restart. */
  cells = 0;
  /** Turns given so far. */
  turns = 0;

  constructor(
    name: string,
    sandbox: Sandbox,
    kernel: KernelCommand | null,
    env: Readonly<Record<string, string>>,
    cwd: string,
  ) {
    this.name = name;
    this.#start = () => {
      if (!kernel) throw new Error(`${name} has no kernel`);
      return KernelClient.start(sandbox, kernel, env, cwd);
    };
  }

  /** Waits until no other cell of this context runs; the returned function ends the turn. */
  async turn(signal: AbortSignal): Promise<() => void> {
    const end = await this.#turn.enter(this.name, signal);
    this.turns++;
    return end;
  }

  async kernel(): Promise<KernelClient> {
    if (this.#kernel?.dead) this.#kernel = undefined;
    this.#kernel ??= await this.#start();
    return this.#kernel;
  }

  /** Kills the kernel and a running cell with it; the next cell starts a new one. */
  restart(): void {
    this.#kernel?.kill();
    this.#kernel = undefined;
  }
}
