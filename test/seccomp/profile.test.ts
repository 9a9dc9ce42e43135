import { expect, test } from 'vitest';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { containerProfile } from '../../src/seccomp/profile.ts';
import { RULES, type Test } from '../../src/seccomp/rules.ts';
import { ALLOWED, DEPENDS, numberOf, REFUSED } from '../../src/seccomp/table.ts';
import { interpret } from './interpret.ts';

/** Both say the same of every call, and rules of the profile that speak of one agree: its engine may look at either first. */
interface Condition {
  readonly index: number;
  readonly op: string;
  readonly value: number;
  readonly valueTwo?: number;
}
interface SyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly Condition[];
}

const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
const ALLOW = 0x7fff_0000;
const ENOSYS = 38;
const FEW = [0, 1, 2, 3, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000];

/** Every number that a rule names for an argument, those beside it, and some that none does. */
function candidates(tests: readonly Test[], argument: number): number[] {
  const named = tests
    .filter(each => each.argument === argument)
    .flatMap(each => {
      if ('in' in each) return each.in;
      if ('notIn' in each) return each.notIn;
      if ('with' in each) return [each.with];
      return 'without' in each ? [each.without, each.without & -each.without] : [];
    });
  return [...new Set([...FEW, ...named.flatMap(value => [value, value + 1, 0x1_0000_0000 + value])])];
}

function* calls(name: keyof typeof DEPENDS): Generator<number[]> {
  const { allowedIf, pretendedIf = [] } = RULES[name];
  const tests = [...allowedIf, ...pretendedIf].flat();
  const used = [...new Set(tests.map(({ argument }) => argument))];
  let rows: number[][] = [[0, 0, 0, 0, 0, 0]];
  for (const argument of used)
    rows = rows.flatMap(row => candidates(tests, argument).map(value => row.with(argument, value)));
  yield* rows;
}

/** `op` of opencontainers/runtime-spec; the engine's words are of 64 bits. */
function holds({ index, op, value, valueTwo = 0 }: Condition, args: readonly number[]): boolean {
  const word = BigInt(args[index]!);
  if (op === 'SCMP_CMP_MASKED_EQ') return (word & BigInt(value)) === BigInt(valueTwo);
  return (word === BigInt(value)) === (op === 'SCMP_CMP_EQ');
}

test.for(['x64', 'arm64'] as const)(
  'the profile for %s says of every call what the filter says',
  architecture => {
    const filter = assembleFilter(architecture);
    const rules = JSON.parse(containerProfile(architecture)).syscalls as SyscallRule[];
    const answers = (name: string, args: readonly number[]) =>
      rules
        .filter(
          rule => rule.names.includes(name) && (rule.args ?? []).every(condition => holds(condition, args)),
        )
        .map(({ action, errnoRet = 0 }) => (action === 'SCMP_ACT_ALLOW' ? ALLOW : 0x5_0000 | errnoRet));
    const wrong: unknown[] = [];
    const compare = (name: string, number: number | null, args: readonly number[]) => {
      if (number === null) return;
      const { action } = interpret(filter, { architecture: AUDIT[architecture], number, arguments: args });
      const found = answers(name, args);
      if (found.length === 0 || found.some(answer => answer !== action))
        wrong.push({ name, args, action, found });
    };
    for (const [name, numbers] of Object.entries({ ...ALLOWED, ...REFUSED }))
      compare(name, numberOf(numbers, architecture), []);
    for (const [name, numbers] of Object.entries(DEPENDS))
      for (const args of calls(name as keyof typeof DEPENDS))
        compare(name, numberOf(numbers, architecture), args);
    expect(wrong).toEqual([]);
    expect(JSON.parse(containerProfile(architecture)).defaultErrnoRet).toBe(ENOSYS);
  },
);
