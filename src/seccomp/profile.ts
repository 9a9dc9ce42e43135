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

/** A masked argument equals a value. */
interface MaskedEqual {
  readonly index: number;
  readonly op: 'SCMP_CMP_MASKED_EQ';
  /** The mask. */
  readonly value: number;
  /** What the masked argument equals. */
  readonly valueTwo: number;
}

type Condition =
  | MaskedEqual
  | { readonly index: number; readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE'; readonly value: 0 };

/** What all hold, one for an argument: a rule may not name an argument twice. */
type Conditions = readonly Condition[];

/** Rules that hold for one call agree, so that it does not matter which of them is looked at first. */
function syscallRules(name: keyof typeof DEPENDS | string, rule: Rule): object[] {
  const { allowedIf, pretendedIf = [], otherwise } = rule;
  const fail = (errnoRet: number) => ({ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet });
  const rest = [...allowedIf, ...pretendedIf].reduce<readonly Conditions[]>(
    (left, tests) => left.flatMap(conditions => without(conditions, tests)),
    [[]],
  );
  if (allowedIf.length === 0) return [fail(otherwise)];
  return [
    ...allowedIf.flatMap(every).map(args => ({ names: [name], action: 'SCMP_ACT_ALLOW', args })),
    ...pretendedIf.flatMap(every).map(args => ({ ...fail(0), args })),
    ...rest.map(args => ({ ...fail(otherwise), args })),
  ];
}

/** Alternatives for several tests at once. */
function every(tests: readonly Test[]): readonly Conditions[] {
  return tests.reduce<readonly Conditions[]>((left, test) => meet(left, holds(test)), [[]]);
}

/** What remains of `conditions` where not all of `tests` hold: the first fails, or the first holds and the second fails, … */
function without(conditions: Conditions, tests: readonly Test[]): readonly Conditions[] {
  return tests.flatMap((test, i) =>
    meet(
      meet([conditions], every(tests.slice(0, i))),
      fails(test).map(condition => [condition]),
    ),
  );
}

function holds(test: Test): readonly Conditions[] {
  return alternatives(test).map(condition => [condition]);
}

/** Alternatives for one test; each looks at the lower 32 bits only, as the kernel does, but for pointers. */
function alternatives(test: Test): readonly Condition[] {
  const { argument: index } = test;
  if ('isNull' in test) return [{ index, op: 'SCMP_CMP_EQ', value: 0 }];
  if ('without' in test) return [maskedEqual(index, test.without, 0)];
  if ('with' in test) return [maskedEqual(index, test.with, test.with)];
  if ('in' in test) return test.in.map(value => maskedEqual(index, ALL_BITS, value));
  return allBut(test.notIn).map(({ mask, value }) => maskedEqual(index, mask, value));
}

function fails(test: Test): readonly Condition[] {
  const { argument: index } = test;
  if ('isNull' in test) return [{ index, op: 'SCMP_CMP_NE', value: 0 }];
  if ('with' in test) return [maskedEqual(index, test.with, 0)];
  if ('in' in test) return allBut(test.in).map(({ mask, value }) => maskedEqual(index, mask, value));
  if ('notIn' in test) return test.notIn.map(value => maskedEqual(index, ALL_BITS, value));
  // The highest of the bits that is set; those above it are not.
  return bitsOf(test.without).map(bit =>
    maskedEqual(index, test.without & ((ALL_BITS << bit) >>> 0), 2 ** bit),
  );
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: BITS }, (_, bit) => bit).filter(bit => (mask >>> bit) & 1);
}

function maskedEqual(index: number, mask: number, value: number): MaskedEqual {
  return { index, op: 'SCMP_CMP_MASKED_EQ', value: mask >>> 0, valueTwo: value >>> 0 };
}

/** Both of each pair that can hold together. */
function meet(some: readonly Conditions[], others: readonly Conditions[]): readonly Conditions[] {
  return some.flatMap(one =>
    others.flatMap(other => {
      const met = other.reduce<Conditions | null>((left, condition) => left && add(left, condition), one);
      return met ? [met] : [];
    }),
  );
}

/** Null where they contradict each other. */
function add(conditions: Conditions, more: Condition): Conditions | null {
  const same = conditions.find(({ index }) => index === more.index);
  if (!same) return [...conditions, more];
  const others = conditions.filter(condition => condition !== same);
  if (same.op === 'SCMP_CMP_MASKED_EQ' && more.op === 'SCMP_CMP_MASKED_EQ') {
    if ((same.value & more.value & (same.valueTwo ^ more.valueTwo)) >>> 0 !== 0) return null;
    return [...others, maskedEqual(more.index, same.value | more.value, same.valueTwo | more.valueTwo)];
  }
  if (same.op !== more.op) return null;
  return conditions;
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
