/** 127.64.0.0/10, all of which is the sandbox's own loopback. */
const FIRST = 0x7f40_0000;
const LAST = 0x7f7f_ffff;
/** Names of one sandbox. */
export const MAX_NAMES = 4096;

/** Addresses that stand for names in one sandbox. None is ever another name's. */
export class FakeNames {
  readonly #addresses = new Map<string, number>();
  readonly #names = new Map<number, string>();

  /** The address of a name, as a number; null when there are too many. */
  addressOf(name: string): number | null {
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES) return null;
    const address = FIRST + 1 + this.#names.size;
    this.#addresses.set(name, address);
    this.#names.set(address, name);
    return address;
  }

  nameOf(address: number): string | undefined {
    return this.#names.get(address);
  }

  /** Whether it could stand for a name. */
  static holds(address: number): boolean {
    return address >= FIRST && address <= LAST;
  }
}
