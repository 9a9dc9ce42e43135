/**
 * Classic BPF as seccomp uses it (Documentation/userspace-api/seccomp_filter.rst), put together from blocks of which every path ends in
 * a return, so that no block needs to know where another one lies.
 */
export type Block =
  | { readonly returns: number }
  | { readonly loads: number; readonly next: Block }
  | { readonly jump: number; readonly k: number; readonly yes: Block; readonly no: Block };

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

const LOAD_WORD = 0x20;
const JUMP_ALWAYS = 0x05;
export const JUMP = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 } as const;
const RETURN = 0x06;

const KILL_PROCESS = 0x8000_0000;
const ERRNO = 0x0005_0000;
const ALLOW = 0x7fff_0000;

/** Of `struct seccomp_data`; an argument is two words, little endian. */
export const OFFSET = {
  number: 0,
  architecture: 4,
  argument: (i: number) => 16 + 8 * i,
  upperHalf: (i: number) => 20 + 8 * i,
} as const;

export const load = (offset: number, next: Block): Block => ({ loads: offset, next });
export const allow: Block = { returns: ALLOW };
export const kill: Block = { returns: KILL_PROCESS };
export const fail = (errno: number): Block => ({ returns: ERRNO | errno });
export const branch = (jump: number, k: number, yes: Block, no: Block): Block => ({ jump, k, yes, no });

/** Instructions that a conditional jump can pass over. */
const FARTHEST = 255;

/**
 * The instructions of a block, from the last to the first: jumps lead forward only. What was written before and can be reached is not
 * written again, for the kernel compiles a filter anew for each process that puts itself under it, at a tenth of a millisecond for some
 * three hundred instructions.
 */
class Assembler {
  readonly #reversed: Instruction[] = [];
  /** Where an instruction lies that does a thing and goes on at certain places, counted from the end. */
  readonly #places = new Map<string, number>();

  get instructions(): Instruction[] {
    return this.#reversed.toReversed();
  }

  /** Returns where the block begins. */
  write(block: Block): number {
    if ('returns' in block) return this.#once(`return ${block.returns}`, () => [RETURN, 0, 0, block.returns]);
    if ('loads' in block) {
      const next = this.write(block.next);
      return this.#once(`load ${block.loads} ${next}`, () => {
        if (this.#distance(next) > 0) this.#jumpTo(next);
        return [LOAD_WORD, 0, 0, block.loads];
      });
    }
    const no = this.write(block.no);
    const yes = this.write(block.yes);
    return this.#once(`${block.jump} ${block.k} ${yes} ${no}`, () => {
      const nearNo = this.#near(no, 1);
      const nearYes = this.#near(yes);
      return [block.jump, this.#distance(nearYes), this.#distance(nearNo), block.k];
    });
  }

  /** The place of an instruction that is there already, where one jump reaches it, or of a new one. */
  #once(key: string, write: () => Instruction): number {
    const known = this.#places.get(key);
    if (known !== undefined && this.#distance(known) <= FARTHEST) return known;
    this.#reversed.push(write());
    this.#places.set(key, this.#reversed.length - 1);
    return this.#reversed.length - 1;
  }

  /** A place from which that one is reached, and which the next instruction reaches itself even if `more` come before it. */
  #near(place: number, more = 0): number {
    return this.#distance(place) + more <= FARTHEST ? place : this.#jumpTo(place);
  }

  #jumpTo(place: number): number {
    this.#reversed.push([JUMP_ALWAYS, 0, 0, this.#distance(place)]);
    return this.#reversed.length - 1;
  }

  /** What the next instruction passes over on its way there. */
  #distance(place: number): number {
    return this.#reversed.length - 1 - place;
  }
}

/** Eight bytes an instruction, little endian: `struct sock_filter`. */
export function encode(block: Block): Uint8Array {
  const assembler = new Assembler();
  assembler.write(block);
  const { instructions } = assembler;
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, jumpTrue, jumpFalse, k], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jumpTrue);
    view.setUint8(i * 8 + 3, jumpFalse);
    view.setUint32(i * 8 + 4, k, true);
  });
  return bytes;
}
