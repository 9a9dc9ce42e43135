import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame, encodeNumber } from '../../src/wire/frames.ts';
import { RelayStreams } from '../../src/wire/relay-streams.ts';
import * as wire from '../../src/wire/streams.ts';
import { RelayProcess } from './relay-process.ts';

const { StreamFrame, MAX_STREAMS, STREAM_WINDOW_BYTES } = wire;

/** Serves a relay by `onStream`. */
function serve(relay: RelayProcess, onStream: (stream: Duplex) => void) {
  const broken: string[] = [];
  const { control } = relay;
  new RelayStreams({
    input: control,
    output: control,
    onStream,
    onBroken: ({ message }) => broken.push(message),
  });
  return broken;
}

const client = async (relay: RelayProcess): Promise<Socket> => {
  const socket = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};

test('both ends name the same numbers', () => {
  const header = readFileSync(new URL('../../src/agent/relay.h', import.meta.url), 'utf8');
  const inC = Object.fromEntries(
    [...header.matchAll(/\b(\w+) = ([\d *]+),/g)].map(([, name, value = '']) => [
      name,
      value.split('*').reduce((product, factor) => product * Number(factor), 1),
    ]),
  );
  const kinds = Object.entries(StreamFrame).map(([name, kind]) => [`STREAM_${name.toUpperCase()}`, kind]);
  const { StreamFrame: _, FIRST_OF_SERVICE, ...sizes } = wire;
  expect(inC).toEqual({ ...Object.fromEntries(kinds), ...sizes });
  expect(FIRST_OF_SERVICE).toBe(2 ** 31);
});

test('bytes go both ways, with more than a window under way, and each end is passed on', async () => {
  await using relay = await RelayProcess.start();
  serve(relay, stream => stream.pipe(stream));
  const sent = Buffer.alloc(5_000_000, 'abcdefghi');
  const sockets = await Promise.all(Array.from({ length: 4 }, () => client(relay)));
  const echoed = sockets.map(socket => {
    socket.end(sent);
    return buffer(socket);
  });
  for (const bytes of await Promise.all(echoed)) expect(bytes.equals(sent)).toBe(true);
});

test('who does not read holds up nobody else, and no more than a window', async () => {
  await using relay = await RelayProcess.start();
  const streams: Duplex[] = [];
  serve(relay, stream => streams.push(stream));
  const [slow, quick] = [await client(relay), await client(relay)];
  await expect.poll(() => streams).toHaveLength(2);
  slow.pause();
  const written: number[] = [];
  const pump = () => {
    while (written.length < 400 && streams[0]!.write(Buffer.alloc(16_384), () => written.push(1)));
  };
  streams[0]!.on('drain', pump);
  pump();
  quick.end('question');
  expect((await buffer(streams[1]!)).toString()).toBe('question');
  streams[1]!.end('answer');
  expect((await buffer(quick)).toString()).toBe('answer');
  // The kernel's own buffers of a connection on the loopback take some megabytes more.
  expect(written.length * 16_384).toBeLessThan(400 * 16_384);
  slow.resume();
  slow.destroy();
});

test('connections beyond the most wait for their turn', async () => {
  await using relay = await RelayProcess.start();
  const open = new Set<Duplex>();
  let most = 0;
  serve(relay, stream => {
    open.add(stream);
    most = Math.max(most, open.size);
    stream.on('close', () => open.delete(stream));
    stream.resume().on('end', () => stream.end('done'));
  });
  const sockets = await Promise.all(Array.from({ length: MAX_STREAMS + 60 }, () => client(relay)));
  const answers = sockets.map(socket => {
    socket.end('x');
    return buffer(socket);
  });
  for (const answer of await Promise.all(answers)) expect(answer.toString()).toBe('done');
  expect(most).toBeLessThanOrEqual(MAX_STREAMS);
});

test('a connection that breaks is reset, and so is one whose stream is', async () => {
  await using relay = await RelayProcess.start();
  const streams: Duplex[] = [];
  serve(relay, stream => streams.push(stream));
  const one = await client(relay);
  await expect.poll(() => streams).toHaveLength(1);
  one.resetAndDestroy();
  await once(streams[0]!, 'close');
  const other = await client(relay);
  await expect.poll(() => streams).toHaveLength(2);
  streams[1]!.destroy();
  const [error] = await once(other.resume(), 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
});

test('it ends with the service', async () => {
  await using relay = await RelayProcess.start();
  await client(relay);
  relay.control.destroy();
  // It notices by a read or by a write.
  expect((await relay.ended)[0]).toBeOneOf([0, 1]);
});

describe('a service that breaks the rules ends the relay with a sentence', () => {
  const number = (kind: number, value: number) => encodeNumber(kind, 1, value);
  const data = (bytes: number) => encodeFrame(StreamFrame.data, 1, Buffer.alloc(bytes));
  test.each([
    ['an unknown kind', [encodeFrame(99, 1, Buffer.alloc(0))], 'a frame of kind 99'],
    ['more than was granted', [data(STREAM_WINDOW_BYTES)], 'more of a stream than was granted'],
    ['credit for nothing', [number(StreamFrame.credit, 1)], 'more granted of a stream than was used'],
    ['half a number', [encodeFrame(StreamFrame.credit, 1, Buffer.alloc(2))], 'a malformed payload'],
    [
      'data after the end',
      [encodeFrame(StreamFrame.end, 1, Buffer.alloc(0)), data(1)],
      'more of a stream than was granted',
    ],
    [
      'no port',
      [encodeFrame(StreamFrame.listen, 0, new FieldWriter().u32(65_536).u32(0).bytes)],
      'no port: 65536',
    ],
    ['a stream of its own number', [encodeNumber(StreamFrame.connect, 5, 80)], 'a stream of number 5'],
    ['an impossible length', [Buffer.from([0xff, 0xff, 0xff, 0xff])], 'a frame of 4294967295 bytes'],
  ])('%s', async (_, frames, sentence) => {
    await using relay = await RelayProcess.start();
    const socket = await client(relay);
    socket.resume();
    await once(relay.control, 'data');
    for (const frame of frames) relay.control.write(frame);
    relay.control.on('error', () => {});
    expect((await relay.ended)[0]).toBe(1);
    expect(relay.stderr).toContain(sentence);
  });
});

test('what came before a connection was reset is read first', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  output.resume();
  const streams: Duplex[] = [];
  const parts = { input, output, onStream: (stream: Duplex) => streams.push(stream), onBroken: () => {} };
  new RelayStreams(parts);
  for (let number = 1; number <= 2 * MAX_STREAMS; number++)
    for (const frame of [
      encodeFrame(StreamFrame.open, number, new FieldWriter().u32(3128).u32(0x7f000001).bytes),
      encodeFrame(StreamFrame.data, number, Buffer.from('all ')),
      encodeFrame(StreamFrame.data, number, Buffer.from('of it')),
      encodeFrame(StreamFrame.reset, number, Buffer.alloc(0)),
    ])
      input.write(frame);
  // None of them takes a place any more, though nobody has read them; as many as have one are kept, and no more.
  await expect.poll(() => streams).toHaveLength(2 * MAX_STREAMS);
  expect(streams.findIndex(({ destroyed }) => destroyed)).toBe(MAX_STREAMS);
  for (const stream of streams.slice(0, MAX_STREAMS)) {
    let text = '';
    stream.on('data', bytes => (text += bytes));
    await once(stream, 'close');
    expect([text, stream.readableEnded]).toEqual(['all of it', false]);
  }
});

describe('a relay that breaks the rules is given up', () => {
  const open = (channel: number) =>
    encodeFrame(StreamFrame.open, channel, new FieldWriter().u32(3128).u32(0x7f000001).bytes);
  const data = (channel: number, bytes: number) =>
    encodeFrame(StreamFrame.data, channel, Buffer.alloc(bytes));
  const question = (number: number, bytes = 1) =>
    encodeFrame(StreamFrame.datagram, number, Buffer.alloc(bytes));
  const many = Array.from({ length: MAX_STREAMS + 1 }, (_, i) => open(i + 1));
  const full = Array.from({ length: 1024 }, () => data(1, 1));
  test.each([
    ['a number used twice', [open(1), open(1)], 'used before'],
    ['too many streams', many, `more than ${MAX_STREAMS} streams`],
    ['a stream that was never opened', [data(7, 1)], 'never opened'],
    ['more than a window in single bytes', [open(1), ...full], 'more of a stream than was granted'],
    ['credit for nothing', [open(1), encodeNumber(StreamFrame.credit, 1, 1)], 'more granted'],
    ['a number of the service’s', [open(2 ** 31 + 1)], 'used before'],
    [
      'a port nobody asked for',
      [encodeFrame(StreamFrame.listening, 0, Buffer.alloc(8))],
      'nobody told it to',
    ],
    ['a question twice', [question(1), question(1)], 'nobody can have asked'],
    ['a question that is too long', [question(1, wire.DATAGRAM_BYTES + 1)], 'nobody can have asked'],
    ['data on what was never connected to', [data(2 ** 31 + 1, 1)], 'never opened'],
    ['an unknown kind', [open(1), encodeFrame(77, 1, Buffer.alloc(0))], 'a frame of kind 77'],
  ])('%s', async (_, frames, sentence) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    output.resume();
    const streams: Duplex[] = [];
    const broken = new Promise<Error>(onBroken => {
      new RelayStreams({ input, output, onStream: stream => streams.push(stream), onBroken });
    });
    for (const frame of frames) input.write(frame);
    expect((await broken).message).toContain(sentence);
    expect(streams.every(stream => stream.destroyed)).toBe(true);
  });
});
