import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentClient } from '../../src/agent-client/agent-client.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame, encodeNumber, FrameDecoder } from '../../src/wire/frames.ts';
import {
  FILE_OPS,
  FromAgent,
  OUTPUT_FRAME_COST,
  OUTPUT_WINDOW_BYTES,
  PROTOCOL_VERSION,
  ToAgent,
} from '../../src/wire/messages.ts';
import { sleep, socketPair } from '../agent/agent-process.ts';

/** The client against an agent that a program has got the better of: it says whatever the test wants. */
let agent: Socket;
let client: AgentClient;
let heard: { kind: number; channel: number }[];
beforeEach(async () => {
  const [near, far] = await socketPair();
  agent = far;
  heard = [];
  const decoder = new FrameDecoder();
  far.on('data', bytes => decoder.push(bytes, ({ kind, channel }) => heard.push({ kind, channel })));
  far.on('error', () => {});
  client = new AgentClient(near);
  say(encodeNumber(FromAgent.ready, 0, PROTOCOL_VERSION));
  await client.ready;
});
afterEach(() => {
  client.destroy();
  agent.destroy();
});

const ENDS = { stdin: 5, stdout: 6, stderr: 7, control: 8, file: 9, users: 10 };
const prepared = (...ends: number[]) =>
  encodeFrame(FromAgent.prepared, 1, ends.reduce((fields, end) => fields.u32(end), new FieldWriter()).bytes);
test.each<[string, number[]]>([
  ['nothing', []],
  ['too few', [5, 6, 7, 8, 9]],
  ['too many', [5, 6, 7, 8, 9, 10, 11]],
  ['a descriptor that is none', [5, 6, 7, 8, 9, -2]],
  ['a descriptor beyond all', [5, 6, 2 ** 31, 8, 9, 10]],
])('a program that is to be forked and whose ends are %s ends the sandbox', async (_, ends) => {
  const asked: unknown[] = [];
  const starting = client.spawn(spec, { fork: async given => asked.push(given) });
  say(prepared(...ends));
  await expect(starting).rejects.toMatchObject({ name: 'SandboxLost' });
  expect(asked).toEqual([]);
});

test('a program is forked once, before it runs and only if that was asked for', async () => {
  const asked: unknown[] = [];
  const starting = client.spawn(spec, { fork: async given => asked.push(given) });
  say(prepared(5, 6, 7, 8, 9, 10), SPAWNED);
  await starting;
  expect(asked).toEqual([ENDS]);
  say(prepared(5, 6, 7, 8, 9, 10));
  expect((await client.lost).message).toMatch(/broke the protocol/);
  expect(asked).toHaveLength(1);
});

const HELD = encodeNumber(FromAgent.held, 1, 7);

test('a program is held once, before it runs and only if that was asked for', async () => {
  const placed: number[] = [];
  const starting = client.spawn(spec, { place: async pid => void placed.push(pid) });
  say(HELD, SPAWNED);
  await starting;
  expect(placed).toEqual([7]);
  say(HELD);
  expect((await client.lost).message).toMatch(/broke the protocol/);
  expect(placed).toEqual([7]);
});

test('a program that nobody wanted held ends the sandbox', async () => {
  const starting = client.spawn(spec);
  say(HELD);
  await expect(starting).rejects.toMatchObject({ name: 'SandboxLost' });
});

describe('an agent that owes an answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('and says nothing is given up', async () => {
    const asked = client.files.list('/workspace', ALL);
    asked.catch(() => {});
    vi.advanceTimersByTime(60_000);
    expect((await client.lost).message).toBe('the agent does not answer');
    await expect(asked).rejects.toMatchObject({ name: 'SandboxLost' });
  });

  test('is waited for as long as it says anything', async () => {
    const starting = client.spawn(spec);
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(15_000);
      say(encodeNumber(FromAgent.disk, 0, i % 2));
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    say(SPAWNED);
    await starting;
    // It owes nothing now.
    vi.advanceTimersByTime(600_000);
    expect(await Promise.race([client.lost, 'alive'])).toBe('alive');
  });
});

const say = (...frames: Uint8Array[]) => agent.write(Buffer.concat(frames));
const spec = { argv: ['x'], cwd: '/workspace', env: {}, stdin: 'pipe', control: true } as const;
const ALL = { recursive: true, includeHidden: true, maxDepth: 0 };
const EMPTY = new Uint8Array(0);
const SPAWNED = encodeNumber(FromAgent.spawned, 1, 7);

async function start() {
  const starting = client.spawn(spec);
  say(SPAWNED);
  return starting;
}

test.each<[string, Uint8Array]>([
  ['a frame of impossible length', Buffer.alloc(16, 0xff)],
  ['an unknown kind', encodeFrame(99, 1, EMPTY)],
  ['a kind that only the service sends', encodeFrame(ToAgent.spawn, 1, EMPTY)],
  ['a channel that was never opened', encodeFrame(FromAgent.stdout, 7, Buffer.from('x'))],
  ['something else on channel 0', encodeFrame(FromAgent.stdout, 0, Buffer.from('x'))],
  ['an answer about a file on a program', encodeFrame(FromAgent.fileDone, 1, new Uint8Array(9))],
  ['an exit that is nothing', encodeFrame(FromAgent.exit, 1, EMPTY)],
  ['an exit that is cut off', encodeFrame(FromAgent.exit, 1, new Uint8Array(7))],
  ['an exit with more behind it', encodeFrame(FromAgent.exit, 1, new Uint8Array(9))],
  ['a failure that is nothing', encodeFrame(FromAgent.failed, 1, EMPTY)],
  [
    'a failure whose words end too early',
    encodeFrame(FromAgent.failed, 1, new FieldWriter().u8(1).u32(9).bytes),
  ],
  ['pipes that nobody asked for', prepared(5, 6, 7, 8, 9, 10)],
  ['input taken that was never sent', encodeNumber(FromAgent.inputTaken, 1, 1)],
  ['input taken without a number', encodeFrame(FromAgent.inputTaken, 1, Buffer.from('xyz'))],
])('%s ends the sandbox', async (_, frame) => {
  const process = await start();
  say(frame);
  expect((await client.lost).message).toMatch(/broke the protocol/);
  await expect(process.events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'SandboxLost' });
  await expect(client.files.clear()).rejects.toMatchObject({ name: 'SandboxLost' });
});

test('more output than was granted ends the sandbox, be it in large frames, single bytes or none', async () => {
  for (const [size, kind] of [
    [65_536, FromAgent.stdout],
    [1, FromAgent.stderr],
    [0, FromAgent.stdout],
    [1, FromAgent.control],
  ] as const) {
    const [near, far] = await socketPair();
    const own = new AgentClient(near);
    const starting = own.spawn(spec);
    far.write(SPAWNED);
    await starting;
    const frame = encodeFrame(kind, 1, new Uint8Array(size));
    const allowed = Math.floor(OUTPUT_WINDOW_BYTES / (size + OUTPUT_FRAME_COST));
    far.write(Buffer.concat(Array(allowed).fill(frame)));
    await sleep(20);
    expect(near.destroyed).toBe(false);
    far.write(frame);
    expect((await own.lost).message).toMatch(/more output than was granted/);
    far.destroy();
  }
});

test('more of a file than was asked for ends the sandbox', async () => {
  const reading = client.files.read('/workspace/f', { length: 10 }).catch(error => error.name);
  say(encodeFrame(FromAgent.fileData, 1, new Uint8Array(11)));
  expect(await reading).toBe('SandboxLost');
});

test('a file in crumbs ends the sandbox', async () => {
  const reading = client.files.read('/workspace/f').catch(error => error.name);
  say(...Array(LIMITS.readBytes / 32_768 + 1).fill(encodeFrame(FromAgent.fileData, 1, new Uint8Array(1))));
  expect(await reading).toBe('SandboxLost');
});

const listing = (more: number) => new FieldWriter().u8(FILE_OPS.list).u8(more);
test.each<[string, Uint8Array]>([
  ['nothing', EMPTY],
  ['an answer to another question', new FieldWriter().u8(FILE_OPS.read).u64(1).bytes],
  ['an entry that is cut off', listing(0).u8(0).u64(0).u64(0).bytes],
  [
    'an entry whose path ends too early',
    listing(0)
      .u8(0)
      .u64(0)
      .u64(0)
      .u32(2 ** 32 - 1).bytes,
  ],
  ['no entries and more to come', listing(1).bytes],
])('%s instead of a listing ends the sandbox', async (_, reply) => {
  const listed = client.files.list('/workspace', ALL).catch(error => error.name);
  say(encodeFrame(FromAgent.fileDone, 1, reply));
  expect(await listed).toBe('SandboxLost');
});

test('a listing without end ends the sandbox', async () => {
  const listed = client.files.list('/workspace', ALL).catch(error => error.name);
  const entries = listing(1);
  for (let i = 0; i < 1000; i++) entries.u8(0).u64(0).u64(0).text('n');
  const frame = encodeFrame(FromAgent.fileDone, 1, entries.bytes);
  for (let i = 0; i < 200 && !agent.destroyed; i++) {
    say(frame);
    await sleep(0);
  }
  expect(await listed).toBe('SandboxLost');
});

test('what comes on a channel that is over changes nothing', async () => {
  const process = await start();
  const exit = encodeFrame(FromAgent.exit, 1, new FieldWriter().u32(300).u32(0).bytes);
  say(exit, encodeFrame(FromAgent.stdout, 1, Buffer.from('late')), exit, encodeFrame(99, 1, EMPTY));
  const events = [];
  for await (const event of process.events) events.push(event);
  expect(events).toEqual([{ type: 'exit', code: 44, signal: null }]);
  await sleep(20);
  expect(agent.destroyed).toBe(false);
});

test('credit is granted for what was consumed, and not before', async () => {
  const process = await start();
  const credits = () => heard.filter(({ kind }) => kind === ToAgent.credit).length;
  say(...Array(4).fill(encodeFrame(FromAgent.stdout, 1, new Uint8Array(60_000))));
  await sleep(50);
  expect(credits()).toBe(0);
  const events = process.events[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await events.next();
  await sleep(50);
  expect(credits()).toBe(2);
});

test('an agent that goes away rejects whatever is under way', async () => {
  const process = await start();
  const under = [client.files.read('/workspace/f'), client.spawn(spec), process.openInput()];
  const pulling = process.events[Symbol.asyncIterator]().next();
  const writing = process.write(new Uint8Array(1_000_000));
  agent.destroy();
  for (const work of [...under, pulling]) await expect(work).rejects.toMatchObject({ name: 'SandboxLost' });
  await writing;
  expect((await client.lost).message).toBe('the stream to the sandbox has ended');
  process.kill();
  process.endInput();
  process.sendControl(Buffer.from('x'));
});

test.each([
  ['another version', encodeNumber(FromAgent.ready, 0, PROTOCOL_VERSION + 1)],
  ['no version', encodeFrame(FromAgent.ready, 0, EMPTY)],
])('an agent that is ready with %s is lost', async (_, ready) => {
  const [near, far] = await socketPair();
  const own = new AgentClient(near);
  far.write(ready);
  await expect(own.ready).rejects.toMatchObject({ name: 'SandboxLost' });
  far.destroy();
});

test('an agent that never answers is lost when its client is destroyed', async () => {
  const [near, far] = await socketPair();
  const own = new AgentClient(near);
  const ready = own.ready.catch(error => error.name);
  own.destroy();
  own.destroy();
  expect(await ready).toBe('SandboxLost');
  expect((await own.lost).message).toBe('the sandbox was closed');
  far.destroy();
});
