import { allow, type Block, branch, encode, fail, JUMP, kill, load, OFFSET } from './bpf.ts';
import { ERRNO, RULES, type Rule, type Rules, type Test } from './rules.ts';
import { ALLOWED, type Architecture, DEPENDS, numberOf, REFUSED } from './table.ts';

/**
 * The filter on system calls of local sandboxes, as the bytes that the kernel and bubblewrap take. Assembled from table.ts and
 * rules.ts; another engine's format can come from the same two. Pure: imports nothing outside this folder.
 *
 * A number is found by halving the range, in eight or so comparisons. x32's numbers (bit 30) lie above every known
 * one and do not exist; another architecture's call ends the process.
 */
export function assembleFilter(architecture: Architecture, rules: Rules = RULES): Uint8Array {
  const byNumber = load(OFFSET.number, halve(segments(architecture, rules)));
  return encode(load(OFFSET.architecture, branch(JUMP.equal, AUDIT_ARCH[architecture], byNumber, kill)));
}

/** AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 of linux/audit.h. */
const AUDIT_ARCH = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;

/** Numbers from here up to the next segment are treated alike. */
interface Segment {
  readonly from: number;
  readonly block: Block;
}

const unknown = fail(ERRNO.ENOSYS);
const refused = fail(ERRNO.EPERM);
const pretended = fail(ERRNO.none);

function segments(architecture: Architecture, rules: Rules): Segment[] {
  const treatment = new Map<number, Block>();
  const put = (table: typeof ALLOWED | typeof REFUSED | typeof DEPENDS, block: (name: string) => Block) => {
    for (const [name, numbers] of Object.entries(table)) {
      const number = numberOf(numbers, architecture);
      if (number !== null) treatment.set(number, block(name));
    }
  };
  put(ALLOWED, () => allow);
  put(REFUSED, () => refused);
  put(DEPENDS, name => decide(rules[name as keyof typeof DEPENDS]));
  const end = Math.max(...treatment.keys()) + 1;
  const found: Segment[] = [];
  for (let number = 0; number <= end; number++) {
    const block = treatment.get(number) ?? unknown;
    if (found.at(-1)?.block !== block) found.push({ from: number, block });
  }
  return found;
}

function halve(among: readonly Segment[]): Block {
  if (among.length === 1) return among[0]!.block;
  const middle = among.length >> 1;
  const upper = among.slice(middle);
  return branch(JUMP.atLeast, upper[0]!.from, halve(upper), halve(among.slice(0, middle)));
}

/** Tests of which all hold, and what becomes of the call then. */
interface Case {
  readonly tests: readonly Test[];
  readonly block: Block;
}

function decide({ allowedIf, pretendedIf = [], failsIf = [], otherwise }: Rule): Block {
  const cases = [
    ...allowedIf.map(tests => ({ tests, block: allow })),
    ...pretendedIf.map(tests => ({ tests, block: pretended })),
    ...failsIf.map(({ tests, error }) => ({ tests, block: fail(error) })),
  ];
  return firstOf(cases, fail(otherwise));
}

function firstOf([first, ...others]: readonly Case[], otherwise: Block): Block {
  if (!first) return otherwise;
  const [test, ...more] = first.tests;
  if (!test) return first.block;
  // What can't hold beside this test is not asked for where it does: a block stands in the filter wherever it is needed.
  const beside = others.filter(({ tests: [other] }) => !other || !excludes(test, other));
  const yes = firstOf([{ ...first, tests: more }, ...beside], otherwise);
  return check(test, yes, firstOf(others, otherwise));
}

function excludes(one: Test, other: Test): boolean {
  if (!('in' in one && 'in' in other)) return false;
  return one.argument === other.argument && !one.in.some(value => other.in.includes(value));
}

function check(test: Test, yes: Block, no: Block): Block {
  const asked = (next: Block) => load(OFFSET.argument(test.argument), next);
  if ('without' in test) return asked(branch(JUMP.anyBit, test.without, no, yes));
  if ('with' in test) return asked(branch(JUMP.anyBit, test.with, yes, no));
  if ('isNull' in test) {
    const upper = load(OFFSET.upperHalf(test.argument), branch(JUMP.equal, 0, yes, no));
    return asked(branch(JUMP.equal, 0, upper, no));
  }
  const [values, found, missing] = 'in' in test ? [test.in, yes, no] : [test.notIn, no, yes];
  return asked(values.reduceRight<Block>((rest, value) => branch(JUMP.equal, value, found, rest), missing));
}
