import { expect, test } from 'vitest';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { EventLog } from '../../../src/service/events/event-log.ts';
import { KeptRuns } from '../../../src/service/sessions/kept-runs.ts';
import { CommandRun } from '../../../src/service/supervision/command-run.ts';
import { KeptOutput } from '../../../src/service/supervision/kept-output.ts';

/** What sessions hold of this process's memory, for an owner and for all. */
const KB = 1024;

test('an owner has no more than its share, and all have no more than there is', () => {
  const ledger = new Ledger({ perOwner: 60, total: 100 });
  expect(ledger.take('a', 60)).toBe(true);
  expect(ledger.take('a', 1)).toBe(false);
  expect(ledger.take('b', 41)).toBe(false);
  expect(ledger.take('b', 40)).toBe(true);
  ledger.add('a', -30);
  expect([ledger.of('a'), ledger.of('b')]).toEqual([30, 40]);
  expect(ledger.take('b', 20)).toBe(true);
});

test('without keys there is one owner, who may have it all', () => {
  const ledger = new Ledger({ perOwner: 60, total: 100 });
  expect(ledger.take(null, 100)).toBe(true);
  expect(ledger.take(null, 1)).toBe(false);
});

const ended = (stdout: string, resultBytes = 0) => {
  const run = new CommandRun(undefined, false);
  const ending = { outcome: 'ok', stdout, stderr: '', results: ['x'.repeat(KB)] };
  const cell = { results: [], resultBytes, error: null, executionCount: 1 };
  run.finished('completed', { runResult: ending as never, cell });
  return run;
};

test('a cell’s results are kept once, beside its ending', () => {
  expect(ended('a').runResult).toMatchObject({ outcome: 'ok', stdout: 'a' });
  expect(ended('a').runResult).not.toHaveProperty('results');
});

test('what a cell came to counts as what it printed does', () => {
  const runs = new KeptRuns({ perOwner: 100 * KB, total: 300 * KB });
  const gone: number[] = [];
  for (let i = 0; i < 6; i++) runs.add('a', ended('', 20 * KB), () => gone.push(i));
  expect(gone).toEqual([0, 1]);
  const error = { name: 'E', message: 'm'.repeat(5 * KB), traceback: 't'.repeat(5 * KB) };
  const failed = new CommandRun(undefined, false);
  failed.finished('failed', {
    cell: { results: [], resultBytes: 0, error, executionCount: 1 },
    error: 'w'.repeat(KB),
  });
  expect(failed.keptBytes).toBeGreaterThan(22 * KB);
  runs.add('a', failed, () => gone.push(6));
  expect(gone).toEqual([0, 1, 2]);
});

test('of ended commands the oldest of whoever has too much are forgotten, and the newest never', () => {
  const runs = new KeptRuns({ perOwner: 100 * KB, total: 300 * KB });
  const gone: string[] = [];
  // Some 22 KiB each: 10 Ki characters of two bytes, and what a run takes itself.
  for (let i = 0; i < 6; i++) runs.add('a', ended('x'.repeat(10 * KB)), () => gone.push(`a${i}`));
  expect(gone).toEqual(['a0', 'a1']);
  runs.add('b', ended('x'.repeat(10 * KB)), () => gone.push('b'));
  for (let i = 6; i < 13; i++) runs.add('a', ended(''), () => gone.push(`a${i}`));
  expect(gone).toEqual(['a0', 'a1', 'a2']);
  runs.add('c', ended('x'.repeat(400 * KB)), () => gone.push('c'));
  expect(gone.filter(name => name !== 'c').length).toBeGreaterThan(2);
  expect(gone).not.toContain('c');
});

test('what is dropped leaves its room', () => {
  const runs = new KeptRuns({ perOwner: 50 * KB, total: 300 * KB });
  const gone: number[] = [];
  for (let i = 0; i < 10; i++) {
    const run = ended('x'.repeat(10 * KB));
    runs.add('a', run, () => gone.push(i));
    runs.drop('a', run);
  }
  expect(gone).toEqual([]);
});

test('output for which there is no room is cut off and says so, and gives its room back', () => {
  const ledger = new Ledger({ perOwner: 8 * KB, total: 8 * KB });
  const room = {
    take: (bytes: number) => ledger.take('a', bytes),
    give: (bytes: number) => ledger.add('a', -bytes),
  };
  const [one, two] = [new KeptOutput(100 * KB, room), new KeptOutput(100 * KB, room)];
  one.add(Buffer.alloc(6 * KB, 'a'));
  two.add(Buffer.alloc(KB, 'b'));
  two.add(Buffer.alloc(3 * KB, 'c'));
  two.add(Buffer.alloc(KB, 'd'));
  expect([one.content().toString().length, one.truncated]).toEqual([6 * KB, false]);
  expect([two.content().toString(), two.truncated, two.bytes]).toEqual(['b'.repeat(KB), true, 5 * KB]);
  one.close();
  two.close();
  expect(ledger.of('a')).toBe(0);
});

test('an owner’s logs keep less once together they hold their share, and give it back at their end', () => {
  const ledger = new Ledger({ perOwner: 1024 * KB, total: 4096 * KB });
  const logs = Array.from({ length: 20 }, () => new EventLog(256 * KB, { ledger, owner: 'a' }));
  const origin = { executionId: 'e', sessionId: 's', commandId: 'c', stream: 'stdout' } as const;
  for (const log of logs)
    for (let i = 0; i < 600; i++) log.append('execution.output', { ...origin, text: 'x'.repeat(KB) });
  expect(ledger.of('a')).toBeLessThan(3 * 1024 * KB);
  for (const log of logs) expect(log.events().length).toBeGreaterThan(40);
  for (const log of logs) log.end();
  expect(ledger.of('a')).toBe(0);
});
