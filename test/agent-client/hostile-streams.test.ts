import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentClient } from '../../src/agent-client/agent-client.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame, encodeNumber } from '../../src/wire/frames.ts';
import {
  FromAgent,
  PROTOCOL_VERSION,
  STREAM_FRAME_COST,
  STREAM_WINDOW_BYTES,
} from '../../src/wire/messages.ts';
import { socketPair } from '../agent/agent-process.ts';

/** Streams to an agent that a program has got the better of. */
let agent: Socket;
let client: AgentClient;
beforeEach(async () => {
  const [near, far] = await socketPair();
  agent = far;
  far.on('error', () => {});
  far.resume();
  client = new AgentClient(near);
  say(encodeNumber(FromAgent.ready, 0, PROTOCOL_VERSION));
  await client.ready;
});
afterEach(() => {
  client.destroy();
  agent.destroy();
});

const say = (...frames: Uint8Array[]) => agent.write(Buffer.concat(frames));
const EMPTY = new Uint8Array(0);
const status = new FieldWriter().u8(0).u32(0o644).u64(1000).u64(0).u64(7).u64(8).bytes;
const OPENED = encodeFrame(FromAgent.streamOpened, 1, status);
const data = (bytes: number) => encodeFrame(FromAgent.streamData, 1, new Uint8Array(bytes));

const openRead = () => {
  const opening = client.files.openRead('/workspace/f');
  opening.catch(() => {});
  return opening;
};

test.each<[string, Uint8Array[]]>([
  ['bytes before the stream is there', [data(1)]],
  ['a window before the stream is there', [encodeNumber(FromAgent.streamWindow, 1, 1)]],
  ['an answer to another question', [encodeFrame(FromAgent.fileDone, 1, new Uint8Array(9))]],
  ['a description that is cut off', [encodeFrame(FromAgent.streamOpened, 1, status.subarray(0, 20))]],
  ['a second beginning', [OPENED, OPENED]],
  ['output of a program', [OPENED, encodeFrame(FromAgent.stdout, 1, Buffer.from('x'))]],
  ['a window for what was never sent', [OPENED, encodeNumber(FromAgent.streamWindow, 1, 1)]],
  ['a window that is no number', [OPENED, encodeFrame(FromAgent.streamWindow, 1, new Uint8Array(3))]],
  ['a failure that is nothing', [OPENED, encodeFrame(FromAgent.streamReset, 1, EMPTY)]],
  [
    'more than was granted',
    [OPENED, ...Array.from({ length: STREAM_WINDOW_BYTES / 65536 }, () => data(65536))],
  ],
  [
    'single bytes without end',
    [OPENED, ...Array.from({ length: STREAM_WINDOW_BYTES / STREAM_FRAME_COST }, () => data(1))],
  ],
])('%s ends the sandbox', async (_, frames) => {
  openRead();
  say(...frames);
  expect((await client.lost).message).toMatch(/broke the protocol/);
});

test('more bytes than a range has are refused', async () => {
  const opening = openRead();
  say(OPENED);
  const source = await opening;
  say(data(500), data(501));
  await expect(
    (async () => {
      for await (const _ of source.read(0, 1000));
    })(),
  ).rejects.toThrow('more bytes');
});

test('an end of the sandbox in the middle of a stream ends its readers and writers', async () => {
  const opening = openRead();
  say(OPENED);
  const source = await opening;
  const reading = source.read(0, 1000)[Symbol.asyncIterator]().next();
  agent.destroy();
  await expect(reading).rejects.toMatchObject({ name: 'SandboxLost' });
});

test('a frame that comes byte by byte is taken as it comes, and holds little more than its bytes', async () => {
  const opening = openRead();
  say(OPENED);
  const source = await opening;
  const frame = encodeFrame(FromAgent.streamData, 1, Buffer.alloc(1000, 'x'));
  for (const byte of frame) {
    agent.write(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(0, 1000)) pieces.push(piece.slice());
  expect(Buffer.concat(pieces).toString()).toBe('x'.repeat(1000));
  expect(pieces.length).toBeLessThan(10);
});
