import { availableParallelism } from 'node:os';

/** Some CPUs of the machine, by place and not by number, from one on and over the end. */
export interface CpuTurn {
  readonly first: number;
  readonly count: number;
}

/**
 * Gives each sandbox as many CPUs as its limit means, those that the fewest others have: programs ask how many they may use, and
 * start as many threads. None is anybody's alone.
 */
export class CpuTurns {
  /** Sandboxes on each CPU. */
  readonly #users: number[];

  constructor(cpus = availableParallelism()) {
    this.#users = new Array(cpus).fill(0);
  }

  /** `cpus`: a limit in cores. To be given back. */
  take(cpus: number): CpuTurn {
    const all = this.#users.length;
    const count = Math.min(all, Math.max(1, Math.ceil(cpus)));
    let first = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < all; at++) {
      const load = this.#load(at, count);
      if (load < least) [first, least] = [at, load];
    }
    const turn = { first, count };
    this.#count(turn, 1);
    return turn;
  }

  give(turn: CpuTurn): void {
    this.#count(turn, -1);
  }

  #load(first: number, count: number): number {
    let load = 0;
    for (let i = 0; i < count; i++) load += this.#users[(first + i) % this.#users.length]!;
    return load;
  }

  #count({ first, count }: CpuTurn, more: 1 | -1): void {
    for (let i = 0; i < count; i++) this.#users[(first + i) % this.#users.length]! += more;
  }
}

/** Of this machine. */
export const cpuTurns = new CpuTurns();
