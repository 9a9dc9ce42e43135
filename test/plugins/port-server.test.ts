import { once } from 'node:events';
import { get, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { portDoor } from '../../plugins/port-door.ts';
import { PortServer } from '../../plugins/port-server.ts';
import { PortFrame, type PortHead } from '../../src/network/egress/port-frames.ts';
import { PortNames } from '../../src/port-names.ts';
import type { PortLead } from '../../src/service/service.ts';
import { encodeFrame } from '../../src/wire/frames.ts';

/** Clients that have no key, at a real server; what a program answers is said by the test. */
const PIECE = 64 * 1024;
const EXPOSED = `8000-${'a'.repeat(32)}`;
const UNKNOWN = `8000-${'b'.repeat(32)}`;
const SESSION = '00000000-0000-4000-8000-000000000000';
const upgrade = (host: string) =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`;

/** `answer` has the program's end of each connection; `given`: of whoever is asked for. */
async function open(answer: (program: Duplex) => void = () => {}, given: Partial<PortLead> = {}) {
  const carried: Duplex[] = [];
  const lead: PortLead = {
    port: 8000,
    token: '',
    isPublic: true,
    owner: null,
    ...given,
    async request() {
      const [ours, program] = duplexPair();
      for (const each of [ours, program]) each.on('error', () => {});
      carried.push(ours);
      answer(program);
      program.resume();
      return ours as Socket;
    },
  };
  const keys = { holds: () => false, ownerOf: () => null } as never;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const api: RequestListener = ({ url }, response) => {
    if (url !== '/held') response.end('the API');
  };
  const handle = portDoor(
    { find: label => (label === EXPOSED || label.endsWith(SESSION) ? lead : 'unknown') },
    { keys, log },
  );
  const server = new PortServer(new PortNames(undefined), { handle, api });
  server.on('upgrade', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  return {
    carried,
    connections: () => promisify(server.getConnections.bind(server))(),
    /** A client that ends its half when the test does. */
    send(bytes: string): Socket {
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
      clients.push(client);
      client.write(bytes);
      return client;
    },
    async asksApi(): Promise<string> {
      const [response] = (await once(get({ port, host: '127.0.0.1', agent: false }), 'response')) as [
        IncomingMessage,
      ];
      return text(response);
    },
    [Symbol.dispose]() {
      for (const client of clients) client.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}

const says = (program: Duplex, head: Partial<PortHead>) =>
  program.write(
    encodeFrame(
      PortFrame.head,
      0,
      Buffer.from(JSON.stringify({ status: 200, reason: 'OK', headers: [], ...head })),
    ),
  );

test.each([
  ['a port’s name', `${EXPOSED}.localhost`],
  ['the API', 'localhost'],
])('an upgrade of %s behind a request that has no answer yet ends its connection alone', async (_, host) => {
  using server = await open();
  const client = server.send(`GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n${upgrade(host)}`);
  await new Promise(resolve => client.on('end', resolve).on('close', resolve).resume());
  expect(await server.asksApi()).toBe('the API');
});

test('a request that names two hosts is for neither', async () => {
  using server = await open(program => says(program, {}));
  const hosts = `Host: localhost\r\nhost: ${EXPOSED}.localhost\r\n`;
  const answer = await text(server.send(`GET / HTTP/1.1\r\n${hosts}\r\n`));
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*Host: must be given once/s);
  const upgraded = server.send(`GET / HTTP/1.1\r\n${hosts}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  expect(await text(upgraded)).toBe('');
  expect(server.carried).toEqual([]);
});

test('a refused upgrade leaves no connection, whatever its client does', async () => {
  using server = await open();
  const client = server.send(upgrade(`${UNKNOWN}.localhost`));
  expect(await text(client)).toMatch(/^HTTP\/1\.1 404 /);
  await expect.poll(server.connections).toBe(0);
});

test('a client of an upgrade that became none, which ends its half, gives its place back', async () => {
  using server = await open(program => {
    says(program, {});
    program.write(encodeFrame(PortFrame.data, 0, Buffer.from('some')));
  });
  const client = server.send(upgrade(`${EXPOSED}.localhost`));
  await once(client, 'data');
  client.end();
  await expect.poll(() => server.carried.map(({ destroyed }) => destroyed)).toEqual([true]);
  await expect.poll(server.connections).toBe(0);
});

test('the answer to an upgrade that became none may be large', async () => {
  const size = 8_000_000;
  using server = await open(program => {
    says(program, { headers: ['Content-Length', String(size)] });
    // The other end of this pair is given the very bytes, whose memory is never its sender's again.
    for (let at = 0; at < size; at += PIECE)
      program.write(encodeFrame(PortFrame.data, 0, Buffer.alloc(Math.min(PIECE, size - at), 'x')));
    program.write(encodeFrame(PortFrame.end, 0, new Uint8Array(0)));
  });
  const whole = await buffer(server.send(upgrade(`${EXPOSED}.localhost`)));
  expect(whole.length - whole.indexOf('\r\n\r\n') - 4).toBe(size);
});

test('a client that still speaks when it has been answered keeps its connection, and is answered again', async () => {
  using server = await open(program => {
    says(program, { status: 413, reason: 'Too much', headers: ['Content-Length', '2'] });
    program.write(encodeFrame(PortFrame.data, 0, Buffer.from('no')));
    program.write(encodeFrame(PortFrame.end, 0, new Uint8Array(0)));
  });
  const size = 3_000_000;
  const head = `PUT / HTTP/1.1\r\nHost: ${EXPOSED}.localhost\r\nContent-Length: ${size}\r\n\r\n`;
  const client = server.send(head);
  let answers = '';
  client.on('data', bytes => (answers += bytes));
  for (let count = 1; count <= 2; count++) {
    await expect.poll(() => answers.match(/HTTP\/1\.1 413 Too much\r\n/g)?.length).toBe(count);
    await expect
      .poll(() => server.carried.map(({ destroyed }) => destroyed))
      .toEqual(Array(count).fill(true));
    client.write(Buffer.alloc(size));
    client.write(head);
  }
});

test('a reason that no HTTP has is told as no answer', async () => {
  using server = await open(program => says(program, { reason: 'O\u0001K' }));
  const answer = await text(
    server.send(`GET / HTTP/1.1\r\nHost: ${EXPOSED}.localhost\r\nConnection: close\r\n\r\n`),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(answer).toContain('answered no HTTP');
});

test('who tries keys at all ports of a session’s id is listened to no more often than at one', async () => {
  using server = await open(undefined, { isPublic: false, token: 'secret', owner: 'somebody' });
  const statusAt = async (port: number) =>
    Number(
      /^HTTP\/1\.1 (\d+)/.exec(
        await text(
          server.send(`GET / HTTP/1.1\r\nHost: ${port}-${SESSION}.localhost\r\nX-API-Key: ${port}\r\n\r\n`),
        ),
      )?.[1],
    );
  const statuses = await Promise.all(Array.from({ length: 200 }, (_, i) => statusAt(8000 + i)));
  expect(new Set(statuses)).toEqual(new Set([403, 429]));
});
