import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The least that can take a file over HTTP or a WebSocket and give it back: no session, no sandbox; over a WebSocket with a digest,
 * as /ws/data tells one. Run by itself, with the file's path; prints its port.
 */
const [, , file = ''] = process.argv;

const server = createServer((request, response) => {
  const copied =
    request.method === 'PUT'
      ? pipeline(request, createWriteStream(file)).then(() => response.writeHead(204).end())
      : pipeline(createReadStream(file), response);
  copied.catch(() => response.destroy());
});

const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', socket => {
  socket.once('message', message => {
    const { op, size } = JSON.parse(String(message)) as { op: string; size: number };
    const copied = op === 'upload' ? take(socket, size) : give(socket);
    copied.then(
      sha256 => socket.send(JSON.stringify({ op: 'done', sha256 })),
      () => socket.terminate(),
    );
  });
});

async function take(socket: WebSocket, size: number): Promise<string> {
  const target = await open(file, 'w');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const hash = createHash('sha256');
  let taken = 0;
  let written: Promise<unknown> = Promise.resolve();
  socket.on('message', data => {
    const payload = (data as Buffer).subarray(12);
    hash.update(payload);
    taken += payload.byteLength;
    // One at a time: what waits is the socket's.
    socket.pause();
    written = target.write(payload).then(() => socket.resume());
    if (taken === size) written.then(() => target.close()).then(resolve, reject);
  });
  socket.send('{"op":"ready"}');
  await promise;
  return hash.digest('hex');
}

async function give(socket: WebSocket): Promise<string> {
  const header = Buffer.alloc(12);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    hash.update(piece);
    await new Promise(resolve => socket.send(Buffer.concat([header, piece]), resolve));
  }
  return hash.digest('hex');
}

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
