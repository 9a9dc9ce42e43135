import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import pino from 'pino';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { askForKeys, Keys } from '../../../plugins/api-keys.ts';
import { Inflow } from '../../../plugins/inflow.ts';
import { acceptWebSockets } from '../../../plugins/websocket.ts';
import { openDoors } from '../../../routes/index.ts';
import { createMetrics } from '../../../src/metrics.ts';
import { createRpc } from '../../../src/rpc/index.ts';
import { openService } from '../support/open-service.ts';

/** Messages that begin and do not end are counted together, whatever door they come to. */
const KB = 1024;
afterEach(() => void vi.useRealTimers());
const log = pino({ level: 'silent' });

/** A server that has room for one message of a mebibyte that does not end. */
async function listen() {
  const { service } = openService();
  const app = fastify();
  await acceptWebSockets(app, 32 * KB * KB);
  askForKeys(app, new Keys({ apiKeys: [], metricsKeys: [] }));
  const rpc = createRpc({ service, log });
  const parts = { service, rpc, registry: createMetrics().registry, admit: undefined };
  await openDoors(app, ['jupyter', 'piston'], {
    ...parts,
    inflow: new Inflow(1024 * KB),
    callbackOrigins: [],
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  return `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

/** The path of a kernel's socket is known once there is one. */
async function pathOf(path: string, server: string): Promise<string> {
  if (!path.includes('{id}')) return path;
  const answer = await fetch(`${server.replace('ws', 'http')}/jupyter/api/kernels`, { method: 'POST' });
  return path.replace('{id}', ((await answer.json()) as { id: string }).id);
}

/** Sends the first part of a message that does not end, and resolves when it was read. `refused`: the code that it is closed with. */
async function begin(url: string, bytes: number): Promise<{ socket: WebSocket; refused: Promise<number> }> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('error', () => {});
  onTestFinished(() => socket.terminate());
  const refused = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.send(Buffer.alloc(bytes), { fin: false });
  socket.ping();
  await Promise.race([once(socket, 'pong'), refused]);
  return { socket, refused };
}

const PATHS = [
  '/ws/jsonrpc',
  '/ws/control',
  '/ws/data',
  '/api/v2/connect',
  '/piston/api/v2/connect',
  '/jupyter/api/kernels/{id}/channels',
];

test.each(PATHS)('on %s the one is refused that there is no room for, and learns it at once', async path => {
  const server = await listen();
  const held = await begin(`${server}/ws/data`, 600 * KB);
  const url = server + (await pathOf(path, server));
  // The server's patience with who is refused does not end.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const other = await begin(url, 600 * KB);
  expect(await other.refused).toBe(1013);
  expect(held.socket.readyState).toBe(WebSocket.OPEN);
  // It ends, or the server would wait for that socket when it closes.
  vi.runOnlyPendingTimers();
});
