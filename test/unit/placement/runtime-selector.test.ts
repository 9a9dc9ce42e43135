import { describe, expect, it } from 'vitest';
import { rank } from '../../../src/service/placement/runtime-selector.ts';

const candidate = (name: string, startupMs: number, memoryMB: number, isolationLevel: number) => ({
  name,
  startupMs,
  memoryMB,
  runtime: { isolationLevel },
});
const fast = candidate('fast', 10, 30, 5);
const safe = candidate('safe', 400, 60, 9);
const small = candidate('small', 40, 4, 5);
const all = [safe, fast, small];

describe('the ranking of runtimes', () => {
  it.each([
    ['Speed', 'fast'],
    ['Security', 'safe'],
    ['Memory', 'small'],
  ] as const)('picks by %s the one that is best at it', (preference, name) => {
    expect(rank(all, preference)?.name).toBe(name);
  });

  it('weighs ratios to the best under Balanced', () => {
    // fast: 0.4 + 0.3·5/9 + 0.3·4/30 = 0.61; safe: 0.01 + 0.3 + 0.02 = 0.33; small: 0.1 + 0.17 + 0.3 = 0.57
    expect(rank(all, 'Balanced')?.name).toBe('fast');
    expect(rank([safe, small], 'Balanced')?.name).toBe('small');
  });

  it('gives a tie to the first of the list, and nothing for no candidates', () => {
    expect(rank([small, { ...small, name: 'twin' }], 'Balanced')?.name).toBe('small');
    expect(rank([], 'Balanced')).toBeUndefined();
  });
});
