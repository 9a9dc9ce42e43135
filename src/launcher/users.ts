/** Users that no system assigns, up to 2147483647 (systemd's UIDS-GIDS.md). */
const FIRST = 1_879_048_192;
const BLOCKS = 32_768;
/** Uids of a block, for two. */
const SHARE = 4096;
/** Where the uids of each kind begin in a block, and how many there are. */
const KINDS = {
  local: { from: 0, count: SHARE },
  container: { from: SHARE, count: SHARE - 64 },
  /** Processes that talk to registries (src/packages/registry). */
  registry: { from: 2 * SHARE - 64, count: 63 },
  /** The process that connects to networks (src/network/egress); the same at every start, so that a firewall can name it. */
  egress: { from: 2 * SHARE - 1, count: 1 },
} as const;

/**
 * Uids of sandboxes. As root every sandbox gets a uid of its own, so that not even the host's accounting
 * mixes two of them. Each instance has its own block, so that two servers on one machine don't collide;
 * each kind has a part of it. A returned uid is reused as late as possible.
 */
export class Users {
  readonly #first: number;
  readonly #count: number;
  #next = 0;
  readonly #taken = new Set<number>();

  constructor(instance: string, kind: keyof typeof KINDS = 'local') {
    let hash = 0;
    for (const letter of instance) hash = (hash * 31 + letter.charCodeAt(0)) % BLOCKS;
    this.#first = FIRST + hash * 2 * SHARE + KINDS[kind].from;
    this.#count = KINDS[kind].count;
  }

  /** @throws {Error} when all are taken */
  take(): number {
    for (let tried = 0; tried < this.#count; tried++) {
      const uid = this.#first + this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(uid)) continue;
      this.#taken.add(uid);
      return uid;
    }
    throw new Error(`no more than ${this.#count} sandboxes can run at once`);
  }

  give(uid: number): void {
    this.#taken.delete(uid);
  }
}
