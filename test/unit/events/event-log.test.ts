import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ExecutionEvent } from '../../../src/schemas/events.ts';
import { EventLog } from '../../../src/service/events/event-log.ts';
import type { EventStream } from '../../../src/service/service.ts';

const origin = { executionId: 'e', sessionId: 's', commandId: 'c' };
const forever = new AbortController().signal;

function say(log: EventLog, text: string): number {
  return log.append('execution.output', { ...origin, stream: 'stdout', text });
}

async function readAll(stream: EventStream): Promise<ExecutionEvent[]> {
  const events: ExecutionEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const numbers = (events: ExecutionEvent[]) => events.map(event => event.params.seq);

describe('the event log', () => {
  it('numbers events from 1 without gaps and gives them to a reader that came late', async () => {
    const log = new EventLog(1_000_000);
    for (const text of ['a', 'b', 'c']) say(log, text);
    const stream = log.read(0, forever);
    log.end();
    expect(numbers(await readAll(stream))).toEqual([1, 2, 3]);
  });

  it('gives a reader what comes after its number only, and live events next without a hole', async () => {
    const log = new EventLog(1_000_000);
    for (let i = 0; i < 5; i++) say(log, 'x');
    const stream = log.read(3, forever);
    const reading = readAll(stream);
    await turn();
    say(log, 'live');
    log.end();
    expect(numbers(await reading)).toEqual([4, 5, 6]);
  });

  it('starts at the next event when no number is given', async () => {
    const log = new EventLog(1_000_000);
    say(log, 'before');
    const stream = log.read(null, forever);
    say(log, 'after');
    log.end();
    expect(numbers(await readAll(stream))).toEqual([2]);
  });

  it('says where it begins when older events are no longer kept', async () => {
    const log = new EventLog(10_000);
    for (let i = 0; i < 1000; i++) say(log, 'x'.repeat(100));
    const stream = log.read(0, forever);
    log.end();
    const events = await readAll(stream);
    expect(stream.firstAvailable).toBe(events[0]?.params.seq);
    expect(stream.firstAvailable).toBeGreaterThan(900);
    expect(events.at(-1)?.params.seq).toBe(1000);
    expect(log.read(999, forever).firstAvailable).toBeNull();
  });

  it('keeps memory bounded when nobody reads', () => {
    const log = new EventLog(100_000);
    for (let i = 0; i < 20_000; i++) say(log, 'x'.repeat(1000));
    expect(log.events().length).toBeLessThan(500);
  });

  it('makes the writer wait for a live reader and lets it go on when the reader leaves', async () => {
    const log = new EventLog(1_000_000);
    const gone = new AbortController();
    log.read(null, gone.signal);
    let written = 0;
    while (!log.ready()) written += say(log, 'x'.repeat(10_000)) && 10_000;
    expect(written).toBeLessThan(300_000);
    const waiting = log.ready();
    gone.abort();
    await waiting;
    expect(log.ready()).toBeUndefined();
  });

  it('makes the writer wait only until a slow reader has caught up', async () => {
    const log = new EventLog(1_000_000);
    const iterator = log.read(null, forever)[Symbol.asyncIterator]();
    while (!log.ready()) say(log, 'x'.repeat(10_000));
    const waiting = log.ready()?.then(() => 'released');
    for (let i = 0; i < 3; i++) await iterator.next();
    expect(await waiting).toBe('released');
  });

  it('keeps more than 20 000 short lines in a MiB, and gives any of them back as they were', async () => {
    const log = new EventLog(1024 * 1024);
    for (let i = 1; i <= 100_000; i++) say(log, `tick ${i}\n`);
    const stream = log.read(0, forever);
    expect(stream.firstAvailable).toBeLessThan(80_000);
    const late = log.read(99_998, forever);
    log.end();
    const events = await readAll(stream);
    expect(events.every(({ params }) => 'text' in params && params.text === `tick ${params.seq}\n`)).toBe(
      true,
    );
    expect(numbers(await readAll(late))).toEqual([99_999, 100_000]);
  });

  it('tells runs, streams and bytes that are not UTF-8 apart when it keeps them together', () => {
    const log = new EventLog(1_000_000);
    const other = { ...origin, executionId: 'f', commandId: 'd' };
    const outputs = [
      { ...origin, stream: 'stdout' as const, text: 'a\u20ac' },
      { ...origin, stream: 'stderr' as const, data: '/w==' },
      { ...other, stream: 'stdout' as const, text: 'b' },
      { ...origin, stream: 'stdout' as const, text: 'x'.repeat(100_000) },
      { ...origin, stream: 'stdout' as const, text: 'c' },
    ];
    for (const output of outputs) log.append('execution.output', output);
    expect(log.events().map(({ params }) => params)).toEqual(
      outputs.map((each, i) => ({ ...each, seq: i + 1 })),
    );
  });

  it('keeps output of more runs at once than it can keep together', () => {
    const log = new EventLog(1_000_000);
    for (let i = 0; i < 1000; i++) {
      const executionId = `run ${i % 200}`;
      log.append('execution.output', { ...origin, executionId, stream: 'stdout', text: executionId });
    }
    expect(log.events()).toHaveLength(1000);
    for (const { params } of log.events()) expect(params).toMatchObject({ text: params.executionId });
  });
});
