import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedTo, RelayStreams } from '../../src/wire/relay-streams.ts';
import { DATAGRAM_BYTES, MAX_LISTENERS } from '../../src/wire/streams.ts';
import { freePort, RelayProcess } from './relay-process.ts';

/** A relay that listens where it is told to, as it does for sandboxes that have a network. */
let relay: RelayProcess;
let streams: RelayStreams;
const LOOPBACK = 0x7f00_0001;
const seen: { stream: Duplex; to: ConnectedTo }[] = [];
const questions: { number: number; text: string }[] = [];

beforeAll(async () => {
  relay = await RelayProcess.start(0);
  streams = new RelayStreams({
    input: relay.control,
    output: relay.control,
    onStream: (stream, to) => seen.push({ stream, to }),
    onBroken: () => {},
    onQuestion: (number, bytes) => questions.push({ number, text: Buffer.from(bytes).toString() }),
  });
});
afterAll(() => relay[Symbol.asyncDispose]());

const opened = async (port: number, host: string): Promise<Socket> => {
  const socket = connect({ port, host, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
};

test('it tells which of its addresses was connected to', async () => {
  const port = await freePort();
  expect(await streams.listen(port, 0x7f40_0309)).toBe(0);
  const socket = await opened(port, '127.64.3.9');
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]!.to).toEqual({ port, address: 0x7f40_0309 });
  seen[0]!.stream.end('hello');
  socket.end();
  expect((await buffer(socket)).toString()).toBe('hello');
});

test('a port that is taken is told, and one that is given back is free', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(await streams.listen(port, LOOPBACK)).toBe(98);
  server.close();
  await once(server, 'close');
  expect(await streams.listen(port, LOOPBACK)).toBe(0);
  streams.unlisten(port);
  const free = () => createServer().listen(port, '127.0.0.1');
  await expect
    .poll(async () => {
      const again = free();
      const listening = await once(again, 'listening').then(
        () => true,
        () => false,
      );
      again.close();
      return listening;
    })
    .toBe(true);
});

test('it listens on so many ports and no more', async () => {
  const ports: number[] = [];
  const errors: number[] = [];
  while (errors.length < MAX_LISTENERS + 2) {
    const port = await freePort();
    ports.push(port);
    errors.push(await streams.listen(port, LOOPBACK));
  }
  expect(errors.slice(0, MAX_LISTENERS - 1)).toEqual(new Array(MAX_LISTENERS - 1).fill(0));
  expect(errors.at(-1)).toBe(23);
  for (const port of ports) streams.unlisten(port);
});

test('it connects to what listens inside, both ways, and is told where nothing does', async () => {
  const server = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const sent = Buffer.alloc(3_000_000, 'xyz');
  const stream = streams.connect(port);
  const connected = once(stream, 'connect');
  stream.end(sent);
  expect((await buffer(stream)).equals(sent)).toBe(true);
  await connected;
  server.close();
  const nowhere = streams.connect(await freePort());
  let was = false;
  nowhere.on('connect', () => {
    was = true;
  });
  await once(nowhere, 'close');
  expect(was).toBe(false);
});

test('questions are answered to who asked, those of long ago and too long ones are not', async () => {
  const listening = await streams.listen(0);
  // Where the tests may not have the port, or something else has it, there is nothing to ask.
  if (listening !== 0) return expect([13, 98]).toContain(listening);
  const asker = createSocket('udp4');
  asker.connect(53, '127.0.0.1');
  await once(asker, 'connect');
  asker.send(Buffer.alloc(DATAGRAM_BYTES + 1, 'x'));
  asker.send('what is it?');
  await expect.poll(() => questions.length).toBe(1);
  const { number, text } = questions[0]!;
  expect(text).toBe('what is it?');
  for (const wrong of [0, number + 1, number + 64]) streams.answer(wrong, Buffer.from('wrong'));
  const answered = once(asker, 'message');
  streams.answer(number, Buffer.from('this'));
  expect(String((await answered)[0])).toBe('this');
  asker.close();
});
