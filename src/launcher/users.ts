/** Users that no system assigns, up to 2147483647 (systemd's UIDS-GIDS.md). */
const FIRST = 1_879_048_192;
const BLOCKS = 65_536;
const BLOCK_SIZE = 4096;

/**
 * As root every sandbox is a user of its own, so that not even the host's accounting mixes two of them. Each instance
 * draws from a block of its own, so that two servers on one machine don't meet either.
 */
export class Users {
  readonly #first: number;
  readonly #taken = new Set<number>();

  constructor(instance: string) {
    let hash = 0;
    for (const letter of instance) hash = (hash * 31 + letter.charCodeAt(0)) % BLOCKS;
    this.#first = FIRST + hash * BLOCK_SIZE;
  }

  /** @throws when all are taken */
  take(): number {
    for (let uid = this.#first; uid < this.#first + BLOCK_SIZE; uid++) {
      if (this.#taken.has(uid)) continue;
      this.#taken.add(uid);
      return uid;
    }
    throw new Error(`no more than ${BLOCK_SIZE} sandboxes can run at once`);
  }

  give(uid: number): void {
    this.#taken.delete(uid);
  }
}
