import { expect, test } from 'vitest';
import { type Block, branch, encode, fail, JUMP, load, OFFSET } from '../../src/seccomp/bpf.ts';
import { numbersFrom } from '../support/numbers-from.ts';
import { interpret, type SystemCall } from './interpret.ts';

const X86_64 = 0xc000_003e;
const WORDS = [0, 1, 2, 3, 4, 5].map(OFFSET.argument);

/** What becomes of a call, told from the blocks alone. */
function meaning(block: Block, call: SystemCall): number {
  let accumulator = 0;
  for (let at = block; ; ) {
    if ('returns' in at) return at.returns;
    if ('loads' in at) {
      accumulator = call.arguments![WORDS.indexOf(at.loads)]!;
      at = at.next;
    } else {
      const { jump, k } = at;
      const holds =
        jump === JUMP.equal
          ? accumulator === k
          : jump === JUMP.atLeast
            ? accumulator >= k
            : (accumulator & k) !== 0;
      at = holds ? at.yes : at.no;
    }
  }
}

test('what is written once decides as what would be written everywhere, however far it lies', () => {
  const next = numbersFrom(7);
  const upTo = (most: number) => Math.floor(next() * most);
  const jumps = [JUMP.equal, JUMP.atLeast, JUMP.anyBit];
  /** Few words and values: many blocks are alike, and lie far apart. */
  const block = (depth: number): Block => {
    if (depth === 0) return fail(upTo(40));
    const word = WORDS[upTo(WORDS.length)]!;
    const asks = () => branch(jumps[upTo(3)]!, 1 + upTo(4), block(depth - 1), block(depth - 1));
    return upTo(3) === 0 ? asks() : load(word, asks());
  };
  for (const depth of [1, 4, 9, 11]) {
    const whole = load(WORDS[0]!, block(depth));
    const bytes = encode(whole);
    for (let i = 0; i < 4000; i++) {
      const call = { architecture: X86_64, number: 0, arguments: WORDS.map(() => upTo(6)) };
      expect(interpret(bytes, call).action).toBe(meaning(whole, call));
    }
  }
});
