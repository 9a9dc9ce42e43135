import { expect, test } from 'vitest';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { containerProfile } from '../../src/seccomp/profile.ts';
import { RULES, type Test } from '../../src/seccomp/rules.ts';
import { ALLOWED, DEPENDS, numberOf, REFUSED } from '../../src/seccomp/table.ts';
import { interpret } from './interpret.ts';

/** What the filter allows the profile allows, and what the profile refuses is refused: the stricter one of both has the last word. */
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
  const { allowedIf, pretendedIf = [], failsIf = [] } = RULES[name];
  const tests = [...allowedIf, ...pretendedIf, ...failsIf.map(({ tests }) => tests)].flat();
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
  'the profile for %s allows what the filter allows, and nothing that depends on no argument beside',
  architecture => {
    const filter = assembleFilter(architecture);
    const { syscalls, defaultAction, defaultErrnoRet } = JSON.parse(containerProfile(architecture));
    const rules = syscalls as SyscallRule[];
    const answers = (name: string, args: readonly number[]) =>
      rules
        .filter(
          rule => rule.names.includes(name) && (rule.args ?? []).every(condition => holds(condition, args)),
        )
        .map(({ action, errnoRet = 0 }) => (action === 'SCMP_ACT_ALLOW' ? ALLOW : 0x5_0000 | errnoRet));
    const answer = (number: number, args: readonly number[]) =>
      interpret(filter, { architecture: AUDIT[architecture], number, arguments: args }).action;
    const wrong: unknown[] = [];
    for (const [name, numbers] of Object.entries({ ...ALLOWED, ...REFUSED })) {
      const number = numberOf(numbers, architecture);
      if (number === null) continue;
      const [found, action] = [answers(name, []), answer(number, [])];
      if (found.length !== 1 || found[0] !== action) wrong.push({ name, action, found });
    }
    for (const [name, numbers] of Object.entries(DEPENDS)) {
      const number = numberOf(numbers, architecture);
      if (number === null) continue;
      for (const args of calls(name as keyof typeof DEPENDS)) {
        const [found, action] = [answers(name, args), answer(number, args)];
        if (
          action === ALLOW
            ? found.some(each => each !== ALLOW) || found.length === 0
            : found.length > 1 && new Set(found).size > 1
        )
          wrong.push({ name, args, action, found });
      }
    }
    expect(wrong).toEqual([]);
    expect({ defaultAction, defaultErrnoRet }).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: ENOSYS,
    });
    // A runtime takes two conditions of one argument as alternatives.
    for (const { args = [] } of rules) expect(new Set(args.map(({ index }) => index)).size).toBe(args.length);
  },
);

test('the profile closes by itself what leads out: namespaces, families of sockets, tracing of others, any other personality', () => {
  const rules = JSON.parse(containerProfile('x64')).syscalls as SyscallRule[];
  const allows = (name: string, ...args: number[]) =>
    rules.some(
      rule =>
        rule.action === 'SCMP_ACT_ALLOW' &&
        rule.names.includes(name) &&
        (rule.args ?? []).every(condition => holds(condition, [...args, 0, 0, 0, 0, 0, 0])),
    );
  const [NEWUSER, THREAD, NETLINK, ATTACH] = [0x1000_0000, 0x1_0000, 16, 16];
  expect([allows('clone', 17), allows('clone', NEWUSER), allows('clone', NEWUSER | THREAD)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([allows('socket', 2), allows('socket', NETLINK), allows('socket', 2, 3, 132)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([allows('ptrace', 0), allows('ptrace', ATTACH)]).toEqual([true, false]);
  expect([allows('personality', 0), allows('personality', 0x40000)]).toEqual([true, false]);
  // A few dozen are compiled in no time, a thousand in a fifth of a second.
  expect(rules.length).toBeLessThan(100);
});
