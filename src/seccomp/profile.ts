import { RULES, type Rule, type Test } from './rules.ts';
import { ALLOWED, type Architecture, type DEPENDS, REFUSED } from './table.ts';

/**
 * The same table as a container engine's profile: JSON that its runtime makes a filter of
 * (opencontainers/runtime-spec, config-linux.md, "Seccomp"). What no rule of a call allows fails as an unknown call does.
 */
export function containerProfile(architecture: Architecture): string {
  const refused = Object.keys(REFUSED);
  const depending = Object.entries(RULES).flatMap(([name, rule]) => syscallRules(name, rule));
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: [architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      { names: Object.keys(ALLOWED), action: 'SCMP_ACT_ALLOW' },
      { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      ...depending,
    ],
  });
}

const EPERM = 1;
const ENOSYS = 38;
const BITS = 32;
const ALL_BITS = 0xffff_ffff;

type Condition =
  | {
      readonly index: number;
      readonly op: 'SCMP_CMP_MASKED_EQ';
      /** The mask. */
      readonly value: number;
      /** What the masked argument equals. */
      readonly valueTwo: number;
    }
  | { readonly index: number; readonly op: 'SCMP_CMP_EQ'; readonly value: number };

function syscallRules(name: keyof typeof DEPENDS | string, rule: Rule): object[] {
  const { allowedIf, otherwise } = rule;
  if (allowedIf.length === 0) return [{ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: otherwise }];
  return allowedIf
    .flatMap(tests => product(tests.map(conditions)))
    .map(args => ({ names: [name], action: 'SCMP_ACT_ALLOW', args }));
}

/** Alternatives for one test; each looks at the lower 32 bits only, as the kernel does, but for pointers. */
function conditions(test: Test): Condition[] {
  const equal = (mask: number, value: number): Condition => ({
    index: test.argument,
    op: 'SCMP_CMP_MASKED_EQ',
    value: mask >>> 0,
    valueTwo: value >>> 0,
  });
  if ('isNull' in test) return [{ index: test.argument, op: 'SCMP_CMP_EQ', value: 0 }];
  if ('without' in test) return [equal(test.without, 0)];
  if ('in' in test) return test.in.map(value => equal(ALL_BITS, value));
  return allBut(test.notIn).map(({ mask, value }) => equal(mask, value));
}

/**
 * Every 32-bit number but a few, as prefixes: a rule may not name one argument twice, so "neither this nor that" has to
 * be said as a list of "begins like so".
 */
export function allBut(excluded: readonly number[]): { mask: number; value: number }[] {
  const found: { mask: number; value: number }[] = [];
  const descend = (bit: number, prefix: number, within: readonly number[]): void => {
    if (bit < 0) return;
    for (const digit of [0, 1]) {
      const value = (prefix | (digit << bit)) >>> 0;
      const inside = within.filter(number => ((number >>> bit) & 1) === digit);
      if (inside.length > 0) descend(bit - 1, value, inside);
      else found.push({ mask: (ALL_BITS << bit) >>> 0, value });
    }
  };
  descend(BITS - 1, 0, excluded);
  return found;
}

/** One of each, in every combination. */
function product<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>((rows, choice) => rows.flatMap(row => choice.map(one => [...row, one])), [[]]);
}
