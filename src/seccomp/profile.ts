import { RULES, type Rule, type Test } from './rules.ts';
import { ALLOWED, type Architecture, REFUSED } from './table.ts';

/** Alternatives of a call up to which its arguments are looked at. */
const FEW = 20;

/**
 * The same table as a container engine's profile: JSON that its runtime makes a filter of
 * (opencontainers/runtime-spec, config-linux.md, "Seccomp"). It is the wall around the start, and allows what filter.ts does and somewhat
 * more: the agent goes behind that one before it takes its first order. To say all of it in an engine's terms takes a thousand rules, which
 * its runtime needs a fifth of a second to compile, for each container. Left out is what is not said in a few: arguments that may be
 * anything but certain numbers, and long lists.
 */
export function containerProfile(architecture: Architecture): string {
  const depending = Object.entries(RULES).flatMap(([name, rule]) => syscallRules(name, rule));
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: [architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      { names: Object.keys(ALLOWED), action: 'SCMP_ACT_ALLOW' },
      { names: Object.keys(REFUSED), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      ...depending,
    ],
  });
}

const EPERM = 1;
const ENOSYS = 38;
const ALL_BITS = 0xffff_ffff;

/** The masked argument equals `valueTwo`. */
interface MaskedEqual {
  readonly index: number;
  readonly op: 'SCMP_CMP_MASKED_EQ';
  /** The mask. */
  readonly value: number;
  readonly valueTwo: number;
}

type Condition = MaskedEqual | { readonly index: number; readonly op: 'SCMP_CMP_EQ'; readonly value: 0 };

/** What all hold, one for an argument: a runtime takes several for one as alternatives. */
type Conditions = readonly Condition[];

/** What one call is allowed for; what remains fails as an unknown call does, unless the agent's filter has another word for it. */
function syscallRules(name: string, { allowedIf, otherwise }: Rule): object[] {
  const names = [name];
  if (allowedIf.length === 0) return [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: otherwise }];
  const alternatives = allowedIf.flatMap(every);
  const whatever = alternatives.length > FEW || alternatives.some(args => args.length === 0);
  const allowed = whatever ? [[]] : alternatives;
  return allowed.map(args => ({ names, action: 'SCMP_ACT_ALLOW', ...(args.length > 0 && { args }) }));
}

/** Alternatives for several tests at once, as far as they can be said. */
function every(tests: readonly Test[]): readonly Conditions[] {
  return tests.reduce<readonly Conditions[]>(
    (left, test) => {
      const conditions = conditionsOf(test);
      return conditions.length === 0 ? left : left.flatMap(one => conditions.map(other => add(one, other)));
    },
    [[]],
  );
}

function add(conditions: Conditions, more: Condition): Conditions {
  const same = conditions.find(({ index }) => index === more.index);
  if (!same) return [...conditions, more];
  if (!('valueTwo' in same && 'valueTwo' in more))
    throw new Error('two tests of one argument that are no masks');
  if ((same.value & more.value & (same.valueTwo ^ more.valueTwo)) !== 0)
    throw new Error('two tests of one argument that never hold together');
  const both = maskedEqual(more.index, same.value | more.value, same.valueTwo | more.valueTwo);
  return [...conditions.filter(condition => condition !== same), both];
}

/** One of these holds where the test does; each looks at the lower 32 bits only, as the kernel does, but for pointers. */
function conditionsOf(test: Test): Conditions {
  const { argument: index } = test;
  if ('isNull' in test) return [{ index, op: 'SCMP_CMP_EQ', value: 0 }];
  if ('without' in test) return [maskedEqual(index, test.without, 0)];
  if ('with' in test) return [maskedEqual(index, test.with, test.with)];
  return 'in' in test ? test.in.map(value => maskedEqual(index, ALL_BITS, value)) : [];
}

function maskedEqual(index: number, mask: number, value: number): MaskedEqual {
  return { index, op: 'SCMP_CMP_MASKED_EQ', value: mask >>> 0, valueTwo: value >>> 0 };
}
