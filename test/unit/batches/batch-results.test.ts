import { expect, it } from 'vitest';
import type { CommandResult } from '../../../src/commands/command-result.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { BatchResults } from '../../../src/service/sessions/batch-results.ts';

const reply = (content: string): CommandResult => ({
  type: 'read_file',
  id: 'id',
  success: true,
  result: { content },
  error: null,
  durationMs: 1,
});
/** Six bytes of JSON for each character. */
const third = reply('\u0001'.repeat(LIMITS.batchAnswerBytes / 6 / 3));
const MUCH = { perOwner: 2 ** 30, total: 2 ** 30 };

it('results of a batch together are bounded in bytes of JSON', () => {
  using results = new BatchResults(4, new Ledger(MUCH), null);
  for (const i of [0, 1]) expect(results.add(i, third).result).toBe(third);
  expect(results.failure).toBeUndefined();
  const { result } = results.add(2, third);
  expect(result).toMatchObject({ success: false, result: null, error: expect.stringMatching(/not fit/) });
  expect(results.add(3, reply('x')).result).toMatchObject({ success: true });
  expect([results.count, results.failure]).toEqual([4, `commands[2]: ${result.error}`]);
});

it('those of many batches are counted together until they are answered', () => {
  const ledger = new Ledger({ perOwner: LIMITS.batchAnswerBytes, total: LIMITS.batchAnswerBytes });
  using one = new BatchResults(3, ledger, 'key');
  for (const i of [0, 1]) one.add(i, third);
  {
    using other = new BatchResults(1, ledger, 'key');
    expect(other.add(0, third).result).toMatchObject({ success: false, result: null });
    expect(ledger.of('key')).toBeGreaterThan(0);
  }
  one[Symbol.dispose]();
  expect(ledger.of('key')).toBe(0);
});
