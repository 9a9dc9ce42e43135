import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { DataClient, frame } from '../../support/data-client.ts';
import { numbersFrom } from '../../support/numbers-from.ts';
import { openHttp } from '../support/open-http.ts';

/** The memory that sockets are read in is given back early: whatever still shows it must not be. */
const http = await openHttp();
afterAll(() => http.app.close());

const BINARY = 2;
const PING = 9;

/** Bytes of one frame (RFC 6455, 5.2), masked as a client's are. */
function wire(opcode: number, payload: Buffer, fin = true): Buffer {
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  const length = payload.length < 126 ? payload.length : 127;
  head[1] = 0x80 | length;
  if (length === 127) head.writeBigUInt64BE(BigInt(payload.length), 2);
  const mask = randomBytes(4);
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([head.subarray(0, length === 127 ? 10 : 2), mask, masked]);
}

test('frames of every size, in pieces and between pings, are the bytes that were sent, and a pong is its ping', async () => {
  const { id: sessionId } = await http.session();
  const { files } = http.runtime.sandboxes.at(-1)!;
  // Frames wait while what follows them is read.
  files.beforeWrite = () => new Promise(resolve => setImmediate(() => setImmediate(resolve)));
  const client = await DataClient.connect(http.url.replace('http', 'ws'));
  const pongs: string[] = [];
  client.socket.on('pong', data => pongs.push(data.toString('hex')));
  const data = randomBytes(3_500_000);
  client.say({ op: 'upload', id: 1, sessionId, path: 'f', size: data.length });
  const { transfer } = await client.answer(1);

  const random = numbersFrom(7);
  const below = (most: number) => Math.floor(random() * most);
  const sent: Buffer[] = [];
  const pings: string[] = [];
  for (let offset = 0; offset < data.length; ) {
    const bytes = 1 + below([20, 8000, 8000, 8000, 8000, 8000, 70_000, 300_000][below(8)]!);
    const message = frame(transfer, offset, data.subarray(offset, offset + bytes));
    // The last fragment of a message may be empty.
    const cut = [0, 0, 1 + below(message.length - 1), message.length][below(4)]!;
    if (below(8) === 0) {
      const ping = randomBytes(1 + below(125));
      pings.push(ping.toString('hex'));
      sent.push(wire(PING, ping));
    }
    if (cut > 0) sent.push(wire(BINARY, message.subarray(0, cut), false), wire(0, message.subarray(cut)));
    else sent.push(wire(BINARY, message));
    offset += bytes;
  }
  const wired = Buffer.concat(sent);
  // biome-ignore lint/suspicious/noExplicitAny: the stream below the WebSocket is nobody else's
  const raw = (client.socket as any)._socket as import('node:net').Socket;
  for (let at = 0; at < wired.length; ) {
    const bytes = 1 + below(200_000);
    if (!raw.write(wired.subarray(at, at + bytes))) await once(raw, 'drain');
    at += bytes;
  }
  const done = await client.answer(1);
  expect(done).toMatchObject({ op: 'done', sha256: createHash('sha256').update(data).digest('hex') });
  expect(files.contents.get('/workspace/f')?.equals(data)).toBe(true);
  await expect.poll(() => pongs).toEqual(pings);
  await client.cut();
});
