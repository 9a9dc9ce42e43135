import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import fastify from 'fastify';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
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

/** Sends the first part of a message of 16 MiB: binary, masked with zeros. */
async function begin(url: string, bytes: number): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('error', () => {});
  await once(socket, 'open');
  const first = Buffer.alloc(14 + bytes, 0x20);
  first.set([0x02, 0x80 | 127]);
  first.writeBigUInt64BE(BigInt(16 * KB * KB), 2);
  first.fill(0, 10, 14);
  const below = (socket as unknown as { _socket: Socket })._socket;
  await new Promise(resolve => below.write(first, resolve));
  return socket;
}

const PATHS = [
  '/ws/jsonrpc',
  '/ws/control',
  '/ws/data',
  '/api/v2/connect',
  '/piston/api/v2/connect',
  '/jupyter/api/kernels/{id}/channels',
];

test.each(PATHS)('on %s the one is refused that there is no room for', async path => {
  const server = await listen();
  const held = await begin(`${server}/ws/data`, 600 * KB);
  const other = await begin(server + (await pathOf(path, server)), 600 * KB);
  // Which of the two is read to its end first is nobody's to say; what is not refused may be closed for reasons of its own.
  const refused = async (socket: WebSocket) => {
    const [code] = await once(socket, 'close');
    if (code !== 1013) throw new Error(`closed by ${code}`);
  };
  await expect(Promise.any([refused(held), refused(other)])).resolves.toBeUndefined();
  for (const socket of [held, other]) socket.terminate();
});
