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
    const loads = this.#users.map((_, first) =>
      this.#of({ first, count }).reduce((sum, cpu) => sum + this.#users[cpu]!, 0),
    );
    const turn = { first: loads.indexOf(Math.min(...loads)), count };
    for (const cpu of this.#of(turn)) this.#users[cpu]!++;
    return turn;
  }

  give(turn: CpuTurn): void {
    for (const cpu of this.#of(turn)) this.#users[cpu]!--;
  }

  #of({ first, count }: CpuTurn): number[] {
    return Array.from({ length: count }, (_, i) => (first + i) % this.#users.length);
  }
}

/** Of this machine. */
export const cpuTurns = new CpuTurns();
