import { FromAgent } from '../wire/messages.ts';
import { AT_FDCWD, c, check, cstring, diskUse, O } from './libc.ts';
import type { Outbox } from './outbox.ts';

/** Above this share of blocks or inodes a disk counts as full. */
const FULL = 0.99;
const OPEN = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
const NO_CHANNEL = 0;

/**
 * Tells the service whether a disk that programs can write is full, as it changes: the service then knows it when it hears
 * of a program's end, and need not ask.
 */
export class Disk {
  readonly #outbox: Outbox;
  readonly #places: readonly number[];
  #full = false;

  /** /tmp is a disk of its own in containers. */
  constructor(outbox: Outbox, root: string) {
    this.#outbox = outbox;
    const own = check('openat', c.openat(AT_FDCWD, cstring(root), OPEN, 0));
    const tmp = c.openat(AT_FDCWD, cstring('/tmp'), OPEN, 0);
    this.#places = tmp < 0 ? [own] : [own, tmp];
  }

  tell(): void {
    const full = this.#places.some(fd => {
      const { blocks, inodes } = diskUse(fd);
      return blocks >= FULL || inodes >= FULL;
    });
    if (full === this.#full) return;
    this.#full = full;
    this.#outbox.sendNumber(FromAgent.disk, NO_CHANNEL, full ? 1 : 0);
  }
}
