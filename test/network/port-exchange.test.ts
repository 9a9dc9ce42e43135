import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PortFrame, type PortRequest, sendBody } from '../../src/network/egress/port-frames.ts';
import { EgressProcess } from '../../src/network/egress-process.ts';
import { answerOn } from '../../src/network/port-answer.ts';
import { freePort, RelayProcess } from '../packages/relay-process.ts';

/** What programs of a sandbox may answer to who asks their port: over a real relay, by servers that say whatever a test likes. */
let relay: RelayProcess;
let egress: EgressProcess;
let network: number;

beforeAll(async () => {
  relay = await RelayProcess.start(0);
  egress = await EgressProcess.start({
    uid: null,
    ceiling: { allow: [], deny: [], private: [] },
    resolvers: [],
    proxy: null,
    certificates: null,
    bytesPerSecond: 1024,
  });
  const listening = Promise.withResolvers<void>();
  network = egress.open({ onListening: () => listening.resolve(), onDenied() {}, onUsage() {} });
  const carried = egress.carry(network, { allow: [], deny: [] }, 0, false);
  relay.control.pipe(carried).pipe(relay.control);
  await listening.promise;
});
afterAll(async () => {
  await egress[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
});

/** Listens until its block ends, and hands over each connection with the first bytes that came. */
async function serve(answer: (socket: Socket, first: string) => void, host = '127.0.0.1') {
  const server: Server = createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', bytes => answer(socket, String(bytes)));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => void server.close() };
}

async function ask(port: number, more: Partial<PortRequest> = {}, body = '') {
  const headers = ['Host', 'localhost', 'Connection', 'close'];
  const socket = egress.request(network, port, {
    method: 'GET',
    path: '/',
    headers,
    upgrade: false,
    ...more,
  });
  void sendBody(Readable.from([Buffer.from(body)]), socket).catch(() => {});
  const answer = await answerOn(socket);
  return { socket, answer };
}

/** The body of an answer, and whether it came to its end; `pauseMs`: before each piece. */
async function bodyOf(answer: Awaited<ReturnType<typeof answerOn>>, pauseMs = 0) {
  if (typeof answer === 'string') throw new Error(`no answer: ${answer}`);
  let text = '';
  for (let next = await answer.body.next(); !next.done; next = await answer.body.next()) {
    if (pauseMs > 0) await sleep(pauseMs);
    if (next.value.kind === PortFrame.end) return { text, whole: true };
    text += String(next.value.payload);
  }
  return { text, whole: false };
}

test('an answer comes with its head and its body, and a request with its own', async () => {
  using server = await serve((socket, first) =>
    socket.end(`HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\n\r\n${first}`),
  );
  const { answer } = await ask(
    server.port,
    { method: 'PUT', path: '/x?y', headers: ['Host', 'h', 'Content-Length', '2'] },
    'hi',
  );
  expect(answer).toMatchObject({ head: { status: 201, reason: 'Made', headers: ['X-A', '1', 'X-A', '2'] } });
  const { text, whole } = await bodyOf(answer);
  expect(text).toMatch(/^PUT \/x\?y HTTP\/1.1\r\nHost: h\r\nContent-Length: 2\r\n/);
  expect(whole).toBe(true);
});

test('large bodies pass both ways, at the pace of who reads them', async () => {
  const size = 5_000_000;
  using server = await serve((socket, first) => {
    let got = first.length - first.indexOf('\r\n\r\n') - 4;
    const count = (bytes: Buffer) => {
      got += bytes.length;
      if (got >= size)
        socket.end(
          Buffer.concat([
            Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`),
            Buffer.alloc(size, 'y'),
          ]),
        );
    };
    socket.on('data', count);
    count(Buffer.alloc(0));
  });
  const headers = ['Host', 'h', 'Content-Length', String(size)];
  const { answer } = await ask(server.port, { method: 'POST', headers }, 'x'.repeat(size));
  const { text, whole } = await bodyOf(answer);
  expect([text.length, whole]).toEqual([size, true]);
});

test('a large answer to a request that its server does not hear comes whole, however slowly it is read', async () => {
  const size = 4_000_000;
  using server = await serve(socket => {
    socket.pause().write(`HTTP/1.1 413 Large\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, 'y'));
  });
  const headers = ['Host', 'h', 'Content-Length', String(2 * size)];
  const { answer } = await ask(server.port, { method: 'POST', headers }, 'x'.repeat(2 * size));
  const { text, whole } = await bodyOf(answer, 2);
  expect([text.length, whole]).toEqual([size, true]);
});

test('a server of either address of the loopback is found, and where none listens that is said', async () => {
  using six = await serve(socket => socket.end('HTTP/1.1 204 No\r\n\r\n'), '::1');
  expect((await ask(six.port)).answer).toMatchObject({ head: { status: 204 } });
  expect((await ask(await freePort())).answer).toBe('refused');
});

describe('as no answer counts', () => {
  test.each([
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['a head of more than 16 KiB', `HTTP/1.1 200 OK\r\n${'X-Many: 123456789\r\n'.repeat(1500)}\r\n`],
    ['one line without an end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`],
    ['a head with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12'],
    [
      'another protocol that nobody asked for',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['a line that ends in a lone CR', 'HTTP/1.1 200 OK\rX: 1\r\n\r\n'],
    ['nothing', ''],
  ])('%s', async (_, said) => {
    using server = await serve(socket => socket.end(said));
    expect((await ask(server.port)).answer).toBe('malformed');
  });
});

test.each([
  ['shorter than announced', 'Content-Length: 10\r\n\r\n123'],
  ['in pieces without the last', 'Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n'],
  ['in pieces that are none', 'Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\nzz\r\n'],
])('a body that is %s is told as one that was cut', async (_, rest) => {
  using server = await serve(socket => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
  expect((await bodyOf((await ask(server.port)).answer)).whole).toBe(false);
});

test('what a server says behind its answer is nobody’s', async () => {
  const second = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother';
  using server = await serve(socket =>
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none${second}`),
  );
  const { text } = await bodyOf((await ask(server.port)).answer);
  expect(text).toBe('one');
});

test('another protocol is spoken both ways once the server agrees, and not where it does not', async () => {
  const headers = ['Host', 'h', 'Connection', 'Upgrade', 'Upgrade', 'echo'];
  using agrees = await serve(socket => {
    socket.write('HTTP/1.1 101 Yes\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst ');
    socket.pipe(socket);
  });
  const { socket, answer } = await ask(agrees.port, { headers, upgrade: true }, 'and back');
  expect(answer).toMatchObject({ head: { status: 101, reason: 'Yes' } });
  expect(await bodyOf(answer)).toEqual({ text: 'first and back', whole: true });
  socket.destroy();
  using refuses = await serve(other => other.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'));
  const refused = await ask(refuses.port, { headers, upgrade: true });
  expect(refused.answer).toMatchObject({ head: { status: 200 } });
  expect(await bodyOf(refused.answer)).toEqual({ text: 'no', whole: true });
});

test('a client that goes away takes its connection inside along', async () => {
  const closed = Promise.withResolvers<void>();
  using server = await serve(socket => {
    socket.on('close', () => closed.resolve());
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
  });
  const { socket, answer } = await ask(server.port);
  expect(answer).toMatchObject({ head: { status: 200 } });
  socket.destroy();
  await closed.promise;
});

test('the process serves others while one server floods and another says nothing', async () => {
  using silent = await serve(() => {});
  const waiting = egress.request(network, silent.port, {
    method: 'GET',
    path: '/',
    headers: ['Host', 'h'],
    upgrade: false,
  });
  using flood = await serve(socket => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const more = () => {
      while (socket.write(Buffer.alloc(65_536)));
      socket.once('drain', more);
    };
    more();
  });
  // Its answer is read by nobody.
  const { socket } = await ask(flood.port);
  using other = await serve(each => each.end('HTTP/1.1 200 OK\r\n\r\nhere'));
  expect(await bodyOf((await ask(other.port)).answer)).toEqual({ text: 'here', whole: true });
  for (const each of [waiting, socket]) each.destroy();
});
