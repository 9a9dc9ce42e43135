import { OFFSET } from '../../src/seccomp/bpf.ts';

export interface SystemCall {
  readonly architecture: number;
  readonly number: number;
  readonly arguments?: readonly number[];
}

/** Runs a filter's bytes as the kernel would: gives the action and how many instructions it took. */
export function interpret(filter: Uint8Array, call: SystemCall): { action: number; steps: number } {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let accumulator = 0;
  for (let at = 0, steps = 1; ; at++, steps++) {
    const [code, jumpTrue, jumpFalse] = [
      view.getUint16(at * 8, true),
      filter[at * 8 + 2]!,
      filter[at * 8 + 3]!,
    ];
    const k = view.getUint32(at * 8 + 4, true);
    const test = (holds: boolean) => (holds ? jumpTrue : jumpFalse);
    if (code === 0x06) return { action: k, steps };
    else if (code === 0x20) accumulator = word(call, k);
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += test(accumulator === k);
    else if (code === 0x35) at += test(accumulator >= k);
    else if (code === 0x45) at += test((accumulator & k) !== 0);
    else throw new Error(`instruction ${code} at ${at}`);
  }
}

function word(call: SystemCall, offset: number): number {
  if (offset === OFFSET.number) return call.number;
  if (offset === OFFSET.architecture) return call.architecture;
  const words = (offset - OFFSET.argument(0)) / 4;
  const argument = call.arguments?.[words >> 1] ?? 0;
  return (words % 2 ? Math.floor(argument / 2 ** 32) : argument) >>> 0;
}
