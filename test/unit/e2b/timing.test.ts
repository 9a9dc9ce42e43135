import { expect, test } from 'vitest';
import { keepaliveIn, timeoutIn } from '../../../routes/e2b/timing.ts';

const asking = (headers: Record<string, string>) => ({ headers }) as never;

test.each([
  ['50', 50_000],
  ['1.5', 1500],
  // A thousand signs of life in a second for each of many streams would be all that the server does.
  ['0.001', 1000],
  ['1e-9', 1000],
  ['1e99', 604_800_000],
  ['0', null],
  ['-1', null],
  ['often', null],
])('a client that asks for a sign of life after %s seconds of silence has one after %s ms', (asked, has) => {
  expect(keepaliveIn(asking({ 'keepalive-ping-interval': asked }))).toBe(has);
});

test('a client that asks for none has none', () => {
  expect(keepaliveIn(asking({}))).toBeNull();
});

test('a timeout is whole milliseconds, of a week at most', () => {
  const timeout = (value: string) => timeoutIn(asking({ 'connect-timeout-ms': value }));
  expect([timeout('0'), timeout('1500'), timeout('9999999999')]).toEqual([0, 1500, 604_800_000]);
  for (const value of ['-1', '1.5', '99999999999', '', 'x'])
    expect(() => timeout(value)).toThrow('milliseconds');
});
