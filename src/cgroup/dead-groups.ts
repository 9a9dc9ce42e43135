import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
/** One group of so many looks how many there are, at least; those until the next do as it did. */
const LOOKS = 8;

/**
 * The field of memory.stat that says what a group has in memory of files, and what has it give that back. Version 2 takes as much as is
 * let go at most; the kernel fails where there is less, once it has tried.
 */
export const reclaimed = (version: 1 | 2) =>
  version === 1
    ? (['total_cache', 'memory.force_empty', '0'] as const)
    : (['file', 'memory.reclaim', String(MUCH_BYTES)] as const);

/** Decides which groups give back their pages before they go. */
export class DeadGroups {
  readonly #count: () => number;
  /** The fewest there ever were: those that others have left go, too, and make no room for more of ours. */
  #fewest: number | null;
  #many = false;
  /** Groups that go without a look. */
  #unseen = 0;

  /** `count` tells how many there are now. */
  constructor(count: () => number) {
    this.#count = count;
    this.#fewest = this.#known();
  }

  /** Whether there are too many. Asked once for each group that goes. Its look is two short calls of the kernel, where a thread's would be six and as many wakes. */
  tooMany(): boolean {
    if (this.#unseen > 0) {
      this.#unseen--;
      return this.#many;
    }
    const [before, now] = [this.#fewest, this.#known()];
    // Where the kernel does not tell, none is left behind.
    const room = now === null || before === null ? 0 : MOST_DEAD - Math.max(0, now - before);
    if (now !== null && before !== null) this.#fewest = Math.min(before, now);
    this.#many = room <= 0;
    this.#unseen = this.#many ? LOOKS - 1 : Math.max(0, Math.floor((room * LOOKS) / MOST_DEAD) - 1);
    return this.#many;
  }

  /** Whether a group is to give back the files that it has in memory, whose bytes are asked for only if that matters. */
  async mustReclaim(fileBytes: () => Promise<number>): Promise<boolean> {
    if (!this.tooMany()) return false;
    const bytes = await fileBytes();
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
export async function fieldIn(file: string, name: string): Promise<number> {
  return fieldOf(await readFile(file, 'utf8'), name) ?? 0;
}

/** Memory groups of version 1 that the kernel has, dead or alive; from /proc/cgroups (cgroups(7)). */
export function countMemoryGroups(text = readFileSync('/proc/cgroups', 'latin1')): number {
  const count = /^memory\t\d+\t(\d+)\t/m.exec(text)?.[1];
  if (count === undefined) throw new Error('the kernel does not count its memory groups');
  return Number(count);
}
