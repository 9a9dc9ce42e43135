import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { blocksOf } from '../../../src/client/event-blocks.ts';
import { CodeBeaker } from '../../../src/client/index.ts';

/** Our own client, and a server that says what no server says. */
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const client = new CodeBeaker({ url, patience: 0 });
const session = client.attach('a');
afterEach(() => {
  vi.useRealTimers();
});

/** Answers the next connection. */
const answer = async (say: (socket: WebSocket) => void) => {
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  await once(socket, 'message');
  say(socket);
  return socket;
};
/** Of the test, for what is on its way. */
const PATIENCE_MS = 10_000;
const READY = JSON.stringify({ id: 1, op: 'ready', transfer: 7, offset: 0, size: 9, version: 'v' });
const frame = (transfer: number, offset: number, bytes: number) => {
  const message = Buffer.alloc(12 + bytes);
  message.writeUInt32BE(transfer, 0);
  message.writeBigUInt64BE(BigInt(offset), 4);
  return message;
};

test('an event that does not end is not gathered', async () => {
  const piece = new TextEncoder().encode('x'.repeat(1000));
  let pieces = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pieces++;
      controller.enqueue(piece);
    },
  });
  const read = blocksOf(endless, { most: 10_000 }).next();
  await expect(read).rejects.toMatchObject({ message: 'An event came that has no end' });
  expect(pieces).toBeLessThan(20);
});

test('a stream of events that is silent for 45 s is lost, and left', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let isLeft = false;
  const silent = new ReadableStream<Uint8Array>({
    cancel() {
      isLeft = true;
    },
  });
  const read = expect(blocksOf(silent).next()).rejects.toThrow('nothing came for 45 s');
  vi.advanceTimersByTime(45_000);
  await read;
  expect(isLeft).toBe(true);
});

test('events are told apart wherever their pieces are cut', async () => {
  const text = 'data: 1\n\ndata: ä\n\n\n\ndata: 3\n\n';
  const blocks = async (size: number) => {
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
        controller.close();
      },
    });
    return Array.fromAsync(blocksOf(body));
  };
  const whole = await blocks(100);
  expect(whole).toEqual(['data: 1', 'data: ä', '', 'data: 3']);
  for (const size of [1, 2, 3, 5, 8, 9]) expect(await blocks(size)).toEqual(whole);
});

test.each([
  ['of another transfer', (socket: WebSocket) => socket.send(frame(8, 0, 1))],
  ['from elsewhere in the file', (socket: WebSocket) => socket.send(frame(7, 5, 1))],
  ['that are none', (socket: WebSocket) => socket.send(Buffer.alloc(3))],
  ['that are no JSON', (socket: WebSocket) => socket.send('{')],
])('bytes %s end a download', async (_, say) => {
  const download = session.download('a').next();
  const answered = answer(socket => {
    socket.send(READY);
    say(socket);
  });
  await expect(download).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await answered;
});

test.each(['{', 'null', '{"id":1,"result":{}}', '{"method":"port.opened"}'])(
  'the answer %s loses the connection that it came by',
  async said => {
    const listening = session.portEvents();
    const answered = answer(socket => socket.send(said));
    await expect(listening).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await answered;
  },
);

test('bytes that come with the word of where they begin are taken', async () => {
  const pieces = Array.fromAsync(session.download('a', { offset: 5 }));
  await answer(socket => {
    socket.send(READY.replace('"offset":0', '"offset":5'));
    socket.send(frame(7, 5, 4));
    socket.send(JSON.stringify({ id: 1, op: 'done', transfer: 7 }));
  });
  expect(await pieces).toEqual([new Uint8Array(4)]);
});

test('more than was granted is not gathered', async () => {
  const pieces = session.download('a');
  const first = pieces.next();
  const socket = await answer(socket => {
    socket.send(READY);
    for (let at = 0; at < 12; at++) socket.send(frame(7, at * 1_000_000, 1_000_000));
  });
  await once(socket, 'close');
  const rest = async () => {
    await first;
    for await (const _ of pieces);
  };
  await expect(rest()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('a server that is silent for a minute is gone, whatever was asked', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const asked: string[] = [];
  const download = session.download('a').next();
  const watch = session.watch();
  const failed = Promise.all([
    expect(download).rejects.toMatchObject({ code: 'CONNECTION_LOST' }),
    expect(watch).rejects.toMatchObject({ code: 'CONNECTION_LOST' }),
  ]);
  for (let sockets = 0; sockets < 2; sockets++) {
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    socket.on('message', message => asked.push(String(message)));
  }
  await vi.waitUntil(() => asked.length === 2, PATIENCE_MS);
  vi.advanceTimersByTime(30_000);
  await vi.waitUntil(() => asked.length === 4, PATIENCE_MS);
  vi.advanceTimersByTime(30_000);
  await failed;
  expect(asked.slice(2).sort()).toEqual([
    '{"jsonrpc":"2.0","id":2,"method":"ping","params":{}}',
    '{"op":"cancel","id":0}',
  ]);
});
