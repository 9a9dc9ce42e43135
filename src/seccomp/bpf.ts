/**
 * Classic BPF as seccomp uses it (Documentation/userspace-api/seccomp_filter.rst), put together from blocks that end
 * by returning, so that no block needs to know where another one lies.
 */
export type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];
/** Instructions of which every path ends in a return. */
export type Block = readonly Instruction[];

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

export const load = (offset: number): Instruction => [LOAD_WORD, 0, 0, offset];
export const allow: Block = [[RETURN, 0, 0, ALLOW]];
export const kill: Block = [[RETURN, 0, 0, KILL_PROCESS]];
export const fail = (errno: number): Block => [[RETURN, 0, 0, ERRNO | errno]];

const FARTHEST = 255;

export function branch(code: number, k: number, yes: Block, no: Block): Block {
  if (no.length <= FARTHEST) return [[code, no.length, 0, k], ...no, ...yes];
  return [[code, 0, 1, k], [JUMP_ALWAYS, 0, 0, no.length], ...no, ...yes];
}

/** Eight bytes an instruction, little endian: `struct sock_filter`. */
export function encode(block: Block): Uint8Array {
  const bytes = new Uint8Array(block.length * 8);
  const view = new DataView(bytes.buffer);
  block.forEach(([code, jumpTrue, jumpFalse, k], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jumpTrue);
    view.setUint8(i * 8 + 3, jumpFalse);
    view.setUint32(i * 8 + 4, k, true);
  });
  return bytes;
}
