import { readFileSync } from 'node:fs';
import { fieldOf } from './figures.ts';

/**
 * A memory group that was removed lives on in the kernel until the last page of a file that it was the first to read has
 * left memory: on a machine with much memory and programs that read ever new files, without end. Before a group is removed
 * its pages can be given back, but the next program that wants the same file must read it from disk again.
 */

/** So many dead groups may be there beside the fewest that ever were: the files that everybody reads stay in memory. */
const MOST_DEAD = 32;
/** One with so much is let go all the same: memory itself bounds their number, and reading that again takes long. */
const MUCH_BYTES = 16 * 1024 * 1024;

/** Decides which groups give back their pages before they go. */
export class DeadGroups {
  readonly #count: () => number;
  /** The fewest there ever were: those that others have left go, too, and make no room for more of ours. */
  #fewest: number | null;

  /** `count` tells how many there are now. */
  constructor(count: () => number) {
    this.#count = count;
    this.#fewest = this.#known();
  }

  /** Whether a group is to give back the files that it has in memory, whose bytes are asked for only if that matters. */
  mustReclaim(fileBytes: () => number): boolean {
    const now = this.#known();
    // Where the kernel does not tell, none is left behind.
    if (now !== null && this.#fewest !== null) {
      this.#fewest = Math.min(this.#fewest, now);
      if (now - this.#fewest < MOST_DEAD) return false;
    }
    const bytes = fileBytes();
    return bytes > 0 && bytes < MUCH_BYTES;
  }

  #known(): number | null {
    try {
      return this.#count();
    } catch {
      return null;
    }
  }
}

/** {@link fieldOf} of a file; 0 without one. */
export function fieldIn(file: string, name: string): number {
  return fieldOf(readFileSync(file, 'utf8'), name) ?? 0;
}

/** Memory groups of version 1 that the kernel has, dead or alive; from /proc/cgroups (cgroups(7)). */
export function countMemoryGroups(text = readFileSync('/proc/cgroups', 'utf8')): number {
  const count = /^memory\t\d+\t(\d+)\t/m.exec(text)?.[1];
  if (count === undefined) throw new Error('the kernel does not count its memory groups');
  return Number(count);
}
