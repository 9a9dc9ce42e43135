import { expect, test } from 'vitest';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { EventLog } from '../../../src/service/events/event-log.ts';
import type { EventStream } from '../../../src/service/service.ts';

/** What readers have not read counts until they have left, also when what it is of has ended. */
const KB = 1024;
const origin = { executionId: 'e', sessionId: 's', commandId: 'c', stream: 'stdout' } as const;
const forever = new AbortController().signal;

/** A log that has ended and has a reader at its beginning. */
function ended(ledger: Ledger, signal = forever) {
  const log = new EventLog(256 * KB, { ledger, owner: 'a' });
  const stream = log.read(0, signal);
  for (let i = 0; i < 10; i++) log.append('execution.output', { ...origin, text: 'x'.repeat(10 * KB) });
  log.end();
  return stream;
}

async function count(stream: EventStream): Promise<number> {
  let events = 0;
  for await (const _ of stream) events++;
  return events;
}

test('until its last reader has read all of it', async () => {
  const ledger = new Ledger({ perOwner: 1024 * KB, total: 1024 * KB });
  const [one, two] = [ended(ledger), ended(ledger)];
  expect(ledger.of('a')).toBeGreaterThan(200 * KB);
  expect([await count(one), await count(two)]).toEqual([10, 10]);
  expect(ledger.of('a')).toBe(0);
});

test('or has gone', () => {
  const ledger = new Ledger({ perOwner: 1024 * KB, total: 1024 * KB });
  const gone = new AbortController();
  ended(ledger, gone.signal);
  gone.abort();
  expect(ledger.of('a')).toBe(0);
});

test('readers of what has ended are given up where it is too much, and those of what goes on are not', async () => {
  const ledger = new Ledger({ perOwner: 1024 * KB, total: 1024 * KB });
  const streams = Array.from({ length: 100 }, () => ended(ledger));
  expect(ledger.of('a')).toBeLessThan(1200 * KB);
  const live = new EventLog(256 * KB, { ledger, owner: 'a' });
  const reading = count(live.read(0, forever));
  const read = await Promise.all(streams.map(count));
  expect(new Set(read)).toEqual(new Set([0, 10]));
  live.append('execution.output', { ...origin, text: 'x' });
  live.end();
  expect(await reading).toBe(1);
  expect(ledger.of('a')).toBe(0);
});
