/** Users that no system assigns, up to 2147483647 (systemd's UIDS-GIDS.md). */
const FIRST = 1_879_048_192;
const BLOCKS = 32_768;
/** Uids of each kind of sandbox in a block. */
const SHARE = 4096;
const KINDS = ['local', 'container'] as const;

/**
 * Uids of sandboxes. As root every sandbox gets a uid of its own, so that not even the host's accounting
 * mixes two of them. Each instance has its own block, so that two servers on one machine don't collide;
 * containers and local sandboxes have different parts of it. A returned uid is reused as late as possible.
 */
export class Users {
  readonly #first: number;
  #next = 0;
  readonly #taken = new Set<number>();

  constructor(instance: string, kind: (typeof KINDS)[number] = 'local') {
    let hash = 0;
    for (const letter of instance) hash = (hash * 31 + letter.charCodeAt(0)) % BLOCKS;
    this.#first = FIRST + hash * KINDS.length * SHARE + KINDS.indexOf(kind) * SHARE;
  }

  /** @throws {Error} when all are taken */
  take(): number {
    for (let tried = 0; tried < SHARE; tried++) {
      const uid = this.#first + this.#next;
      this.#next = (this.#next + 1) % SHARE;
      if (this.#taken.has(uid)) continue;
      this.#taken.add(uid);
      return uid;
    }
    throw new Error(`no more than ${SHARE} sandboxes can run at once`);
  }

  give(uid: number): void {
    this.#taken.delete(uid);
  }
}
