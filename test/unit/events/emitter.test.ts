import { describe, expect, it } from 'vitest';
import { Emitter } from '../../../src/service/events/emitter.ts';
import { EventLog } from '../../../src/service/events/event-log.ts';
import { settle } from '../support/clock.ts';
import { namesOf, readAll } from '../support/open-service.ts';

const origin = { executionId: 'e', sessionId: 's', commandId: 'c' };
const forever = new AbortController().signal;
const bytes = (...values: number[]) => Uint8Array.of(...values);

function open() {
  const log = new EventLog(1_000_000);
  const emitter = new Emitter(log, origin);
  return { log, emitter, names: () => namesOf(log.events()), params: () => log.events().map(e => e.params) };
}

describe('the story of one run', () => {
  it('begins once', () => {
    const { emitter, names } = open();
    emitter.started();
    emitter.started();
    expect(names()).toEqual(['started']);
  });

  it('has a beginning though nobody said that it began', () => {
    const { emitter, names } = open();
    emitter.completed('failed', null);
    expect(names()).toEqual(['started', 'completed']);
  });

  it('says of every event whose it is', () => {
    const { emitter, params } = open();
    emitter.output('stdout', Buffer.from('x'));
    emitter.result({ 'text/plain': '1' }, 10);
    expect(emitter.completed('completed', 0)).toBe(4);
    for (const each of params()) expect(each).toMatchObject(origin);
    expect(params().map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('holds back what is half a character, of each stream for itself', async () => {
    const { emitter, params, names } = open();
    emitter.output('stdout', bytes(0xe2, 0x82));
    emitter.output('stderr', Buffer.from('e'));
    emitter.output('stdout', bytes(0xac));
    await settle();
    expect(names()).toEqual(['output', 'output']);
    expect(params()).toMatchObject([
      { stream: 'stderr', text: 'e' },
      { stream: 'stdout', text: '€' },
    ]);
  });

  it('gives at its end what was held back, as bytes', () => {
    const { emitter, params, names } = open();
    emitter.started();
    emitter.output('stdout', bytes(0xe2, 0x82));
    emitter.completed('completed', 0);
    expect(names()).toEqual(['started', 'output', 'completed']);
    expect(params()[1]).toMatchObject({ stream: 'stdout', data: '4oI=' });
  });

  it('joins what is written in quick succession and keeps the order of the streams', async () => {
    const { emitter, params } = open();
    for (const text of ['tick', ' ', '1', '\n']) emitter.output('stdout', Buffer.from(text));
    emitter.output('stderr', Buffer.from('oh'));
    emitter.output('stdout', Buffer.from('tock'));
    await settle();
    expect(params()).toMatchObject([
      { seq: 1, stream: 'stdout', text: 'tick 1\n' },
      { seq: 2, stream: 'stderr', text: 'oh' },
      { seq: 3, stream: 'stdout', text: 'tock' },
    ]);
  });

  it('has output before the result and the end that came after it', () => {
    const { emitter, names } = open();
    emitter.started();
    emitter.output('stdout', Buffer.from('a'));
    emitter.result({ 'text/plain': '1' }, 10);
    emitter.output('stderr', Buffer.from('b'));
    emitter.completed('completed', 0);
    expect(names()).toEqual(['started', 'output', 'result', 'output', 'completed']);
  });

  it('joins characters that were written byte by byte, and single bytes by the thousand', async () => {
    const { emitter, params } = open();
    const text = 'a\u20ac\u{1f600}'.repeat(2000);
    for (const byte of Buffer.from(text)) emitter.output('stdout', bytes(byte));
    emitter.completed('completed', 0);
    await settle();
    expect(
      params()
        .map(each => ('text' in each ? each.text : ''))
        .join(''),
    ).toBe(text);
    expect(params().length).toBeLessThan(50);
  });

  it('lets the program wait for a reader, and go on when it has read', async () => {
    const { emitter, log } = open();
    const stream = log.read(0, forever);
    expect(emitter.output('stdout', Buffer.alloc(100, 'x'))).toBeUndefined();
    const waiting = emitter.output('stdout', Buffer.alloc(300_000, 'x'));
    expect(waiting).toBeInstanceOf(Promise);
    void readAll(stream);
    await waiting;
  });

  it('counts results in the pace too', () => {
    const { emitter, log } = open();
    log.read(0, forever);
    emitter.result({}, 300_000);
    expect(log.ready()).toBeInstanceOf(Promise);
  });

  it('waits for readers to catch up with what came before, or for a cancel', async () => {
    const { emitter, log } = open();
    log.read(0, forever);
    await emitter.output('stdout', Buffer.from('x'));
    await emitter.caughtUp(forever);
    void emitter.output('stdout', Buffer.alloc(300_000, 'x'));
    const cancel = new AbortController();
    let done = false;
    const waiting = emitter.caughtUp(cancel.signal)?.then(() => (done = true));
    await settle();
    expect(done).toBe(false);
    cancel.abort();
    await waiting;
    await emitter.caughtUp(cancel.signal);
  });
});

describe('a reader of a log', () => {
  it('that is aborted before it begins holds nobody up', () => {
    const { emitter, log } = open();
    log.read(0, AbortSignal.abort());
    expect(emitter.output('stdout', Buffer.alloc(300_000, 'x'))).toBeUndefined();
  });

  it('that leaves its loop holds nobody up', async () => {
    const { emitter, log } = open();
    emitter.started();
    for await (const _ of log.read(0, forever)) break;
    expect(emitter.output('stdout', Buffer.alloc(300_000, 'x'))).toBeUndefined();
  });

  it('that is aborted while it waits ends', async () => {
    const { log } = open();
    const gone = new AbortController();
    const reading = readAll(log.read(0, gone.signal));
    await settle();
    gone.abort();
    expect(await reading).toEqual([]);
  });

  it('holds others up only as long as it is the slowest', async () => {
    const { emitter, log } = open();
    const fast = readAll(log.read(0, forever));
    const gone = new AbortController();
    log.read(0, gone.signal);
    let free = false;
    void emitter.output('stdout', Buffer.alloc(300_000, 'x'))?.then(() => (free = true));
    await settle();
    expect(free).toBe(false);
    gone.abort();
    await settle();
    expect(free).toBe(true);
    log.end();
    expect(namesOf(await fast)).toEqual(['output']);
  });

  it('that asks for more than has been told waits for what comes', async () => {
    const { emitter, log } = open();
    emitter.started();
    const stream = log.read(100, forever);
    emitter.completed('completed', 0);
    log.end();
    expect((await readAll(stream)).map(({ params }) => params.seq)).toEqual([2]);
  });

  it('of a log that has ended reads it and ends', async () => {
    const { emitter, log } = open();
    emitter.completed('completed', 0);
    log.end();
    expect(namesOf(await readAll(log.read(0, forever)))).toEqual(['started', 'completed']);
  });

  it('keeps what it has not read, though that is more than is kept', async () => {
    const log = new EventLog(1000);
    const emitter = new Emitter(log, origin);
    const stream = log.read(0, forever);
    for (let i = 0; i < 100; i++) emitter.result({ i }, 500);
    log.end();
    expect(await readAll(stream)).toHaveLength(100);
  });
});
