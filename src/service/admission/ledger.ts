/** Counts the bytes that one kind of data holds in this process, per owner and in total. */
export class Ledger {
  readonly #perOwner: number;
  readonly #total: number;
  readonly #held = new Map<string | null, number>();
  #sum = 0;

  /** Without API keys there is one owner (null), who may use the whole total. */
  constructor(limits: { perOwner: number; total: number }) {
    this.#perOwner = limits.perOwner;
    this.#total = limits.total;
  }

  /** Most bytes that an owner may hold. */
  mostOf(owner: string | null): number {
    return owner === null ? this.#total : this.#perOwner;
  }

  /** Whether this many more bytes fit. */
  fits(owner: string | null, bytes: number): boolean {
    return this.#sum + bytes <= this.#total && this.of(owner) + bytes <= this.mostOf(owner);
  }

  /** Counts the bytes if they fit; returns false, and counts nothing, if they don't. */
  take(owner: string | null, bytes: number): boolean {
    if (!this.fits(owner, bytes)) return false;
    this.add(owner, bytes);
    return true;
  }

  /** Counts the bytes even if they don't fit. A negative number gives bytes back. */
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
