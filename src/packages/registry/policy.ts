const DAY_MS = 24 * 3600 * 1000;

/** What the operator lets nobody install. */
export class Policy {
  readonly #deny: ReadonlySet<string>;
  readonly #youngest: number;

  /** `deny`: names as their index spells them. A version is hidden for `minAgeDays` after it was published. */
  constructor({ deny, minAgeDays }: { deny: readonly string[]; minAgeDays: number }) {
    this.#deny = new Set(deny);
    this.#youngest = minAgeDays > 0 ? Date.now() - minAgeDays * DAY_MS : Number.POSITIVE_INFINITY;
  }

  denies(name: string): boolean {
    return this.#deny.has(name);
  }

  /** Whether it matters when something was published. */
  get hasAge(): boolean {
    return this.#youngest !== Number.POSITIVE_INFINITY;
  }

  /** Of what was published at an unknown time, too. */
  tooYoung(published: string | undefined): boolean {
    return this.hasAge && !(Date.parse(published ?? '') <= this.#youngest);
  }
}
