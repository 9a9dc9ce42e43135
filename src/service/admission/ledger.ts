/** Bytes that things of one kind hold in this process, for each owner and together. */
export class Ledger {
  readonly #perOwner: number;
  readonly #total: number;
  readonly #held = new Map<string | null, number>();
  #sum = 0;

  /** Where there are no keys all is one owner's, who may have the whole of it. */
  constructor(limits: { perOwner: number; total: number }) {
    this.#perOwner = limits.perOwner;
    this.#total = limits.total;
  }

  /** What an owner may hold at most. */
  mostOf(owner: string | null): number {
    return owner === null ? this.#total : this.#perOwner;
  }

  /** Whether there is room for so much more. */
  fits(owner: string | null, bytes: number): boolean {
    return this.#sum + bytes <= this.#total && this.of(owner) + bytes <= this.mostOf(owner);
  }

  /** False when there is no room; nothing is counted then. */
  take(owner: string | null, bytes: number): boolean {
    if (!this.fits(owner, bytes)) return false;
    this.add(owner, bytes);
    return true;
  }

  /** Counts what is held whether or not there is room; a negative number is what is no longer. */
  add(owner: string | null, bytes: number): void {
    const held = this.of(owner) + bytes;
    if (held > 0) this.#held.set(owner, held);
    else this.#held.delete(owner);
    this.#sum += bytes;
  }

  of(owner: string | null): number {
    return this.#held.get(owner) ?? 0;
  }
}
