import { describe, expect, it, vi } from 'vitest';
import { Coalescer } from '../../../src/service/events/coalescer.ts';
import { pass, settle, standStill } from '../support/clock.ts';

standStill();

function open() {
  const events: string[] = [];
  const coalescer = new Coalescer((stream, data) => events.push(`${stream}: ${Buffer.from(data)}`));
  return {
    events,
    flush: () => coalescer.flush(),
    write: (text: string, stream: 'stdout' | 'stderr' = 'stdout') => coalescer.add(stream, Buffer.from(text)),
  };
}

describe('output in quick succession', () => {
  it('leaves without a timer when nothing came before it', async () => {
    const { write, events } = open();
    write('a');
    write('b');
    expect(vi.getTimerCount()).toBe(0);
    await settle();
    expect(events).toEqual(['stdout: ab']);
  });

  it('that follows an event within milliseconds becomes one event when they are over', async () => {
    const { write, events } = open();
    write('a');
    await settle();
    write('b');
    await pass(2);
    write('c');
    write('d', 'stderr');
    expect(events).toEqual(['stdout: a']);
    await pass(3);
    expect(events).toEqual(['stdout: a', 'stdout: bc', 'stderr: d']);
  });

  it('leaves at once again after silence', async () => {
    const { write, events } = open();
    write('a');
    await pass(10);
    write('b');
    await settle();
    expect(events).toEqual(['stdout: a', 'stdout: b']);
  });

  it('leaves at once when it is much', async () => {
    const { write, events } = open();
    write('x'.repeat(20_000));
    write('x'.repeat(20_000));
    expect(events).toEqual([`stdout: ${'x'.repeat(40_000)}`]);
  });

  it('counts changes between the streams, whose number is bounded too', () => {
    const { write, events } = open();
    for (let i = 0; i < 1000; i++) write('x', i % 2 ? 'stderr' : 'stdout');
    expect(events.length).toBeGreaterThan(400);
  });

  it('leaves nothing scheduled behind', async () => {
    const { write, events, flush } = open();
    write('a');
    await settle();
    write('b');
    expect(vi.getTimerCount()).toBe(1);
    flush();
    expect(vi.getTimerCount()).toBe(0);
    await pass(50);
    expect(events).toEqual(['stdout: a', 'stdout: b']);
  });
});
