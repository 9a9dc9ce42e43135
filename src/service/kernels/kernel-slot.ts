import type { Sandbox } from '../../sandbox.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import { KernelClient, type KernelCommand } from './kernel-client.ts';

/** How many cells may wait for one interpreter. */
const MAX_WAITING_CELLS = 1000;

/**
 * One named interpreter of a session: started with its first cell, replaced when it dies, one cell at a time. A language
 * that is compiled has none; its cells still take turns and are counted.
 */
export class KernelSlot {
  readonly name: string;
  readonly #start: () => Promise<KernelClient>;
  readonly #turn = new FairQueue(1, MAX_WAITING_CELLS);
  #kernel: KernelClient | undefined;
  /** Cells run so far, through every restart. */
  cells = 0;

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
  turn(signal: AbortSignal): Promise<() => void> {
    return this.#turn.enter(this.name, signal);
  }

  async kernel(): Promise<KernelClient> {
    if (this.#kernel?.dead) this.#kernel = undefined;
    this.#kernel ??= await this.#start();
    return this.#kernel;
  }

  /** Ends the interpreter, and with it a cell that runs; the next cell starts afresh. */
  restart(): void {
    this.#kernel?.kill();
    this.#kernel = undefined;
  }
}
