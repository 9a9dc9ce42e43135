import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { SocketOutlet } from '../../../plugins/socket-outlet.ts';

it('sends texts of every length in order, those that it makes frames of itself and those that it does not', async () => {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const [socket, request] = await once(server, 'connection');
  const outlet = new SocketOutlet(socket, request.socket);
  const lengths = [0, 1, 125, 126, 16_384, 16_385, 65_536];
  const texts = lengths.flatMap(length => ['a', 'é', '\u{1f600}', '\ud800'].map(part => part.repeat(length)));
  const came: string[] = [];
  client.on('message', data => came.push(String(data)));
  let gone = 0;
  for (const text of texts) await outlet.send(text, () => gone++);
  socket.close();
  await once(client, 'close');
  expect(came).toEqual(texts.map(text => text.toWellFormed()));
  expect(gone).toBe(texts.length);
  outlet.send('too late', () => gone++);
  expect(gone).toBe(texts.length + 1);
  http.close();
});
