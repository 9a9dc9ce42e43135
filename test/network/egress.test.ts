import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Denial, NetworkUsage } from '../../src/network/egress/protocol.ts';
import { EgressProcess } from '../../src/network/egress-process.ts';
import type { PolicyTexts } from '../../src/network-rules/policy.ts';
import { encodeNumber } from '../../src/wire/frames.ts';
import { StreamFrame } from '../../src/wire/streams.ts';
import { FakeInternet } from './fake-internet.ts';
import { FakeRelay, type FakeStream } from './fake-relay.ts';

/** The egress process itself, over a relay and an internet that the tests make up. */
const UID = 1_879_000_001;
const isRoot = process.getuid?.() === 0;
let internet: FakeInternet;
let egress: EgressProcess;
let web: number;
let echo: number;

beforeAll(async () => {
  internet = await FakeInternet.start();
  [web, echo] = [await internet.http(), await internet.echo('hello\n')];
  internet.names.set('web.test', '127.0.0.1').set('db.test', '127.0.0.1').set('own.test', '127.0.0.2');
  internet.names.set('metadata.test', '169.254.169.254').set('private.test', '10.0.0.1');
  egress = await EgressProcess.start({
    uid: isRoot ? UID : null,
    ceiling: {
      allow: ['*:1-65535', '0.0.0.0/0:1-65535'],
      deny: ['forbidden.test:1-65535'],
      private: [`127.0.0.1:${web}`, `127.0.0.1:${echo}`],
    },
    resolvers: [internet.resolver],
    proxy: null,
    certificates: null,
    bytesPerSecond: 64 * 1024 * 1024,
  });
});
afterAll(async () => {
  await egress[Symbol.asyncDispose]();
  await internet[Symbol.asyncDispose]();
});

/** A sandbox's network, with what is told of it. */
async function open(policy: Partial<PolicyTexts>, bytes = 1_000_000) {
  const denied: Denial[] = [];
  const listening: unknown[] = [];
  let usage: NetworkUsage | null = null;
  const network = egress.open({
    onListening: refused => listening.push(refused),
    onDenied: denial => denied.push(denial),
    onUsage: told => {
      usage = told;
    },
  });
  const carry = () => new FakeRelay(egress.carry(network, { allow: [], deny: [], ...policy }, bytes));
  const relay = carry();
  await expect.poll(() => listening.length).toBe(1);
  return {
    network,
    relay,
    carry,
    denied,
    listening,
    async usage(): Promise<NetworkUsage> {
      usage = null;
      egress.ask({ op: 'usage', network });
      await expect.poll(() => usage).not.toBeNull();
      return usage!;
    },
  };
}

const get = (host: string, more = '') => `GET /x HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const reasons = (denied: readonly Denial[]) => denied.map(({ reason }) => reason);

test('it runs as nobody, and can start nothing', () => {
  const status = readFileSync(`/proc/${egress.pid}/status`, 'utf8');
  const uid = isRoot ? UID : process.getuid!();
  expect(/^Uid:\s+(.*)$/m.exec(status)?.[1]).toBe([uid, uid, uid, uid].join('\t'));
  if (isRoot) expect(/^CapEff:\s+(.*)$/m.exec(status)?.[1]).toMatch(/^0+$/);
  expect(readFileSync(`/proc/${egress.pid}/cmdline`, 'utf8')).toContain('--permission');
});

describe('a program', () => {
  test('reaches an allowed name by one look-up, with one request', async () => {
    const { relay, usage, denied } = await open({ allow: [`web.test:${web}`] });
    expect(relay.listening).toEqual([0, web]);
    const address = await relay.ask('web.test');
    expect(address).toBe('127.64.0.1');
    expect(internet.asked).not.toContain('web.test');
    const host = `web.test:${web}`;
    const stream = relay.open(web, address!, `${get(host, 'Content-Length: 2\r\n')}ab${get('evil.test')}`);
    await expect.poll(() => stream.received).toContain(`GET /x ${host} ab`);
    await expect.poll(() => stream.end).toBe('end');
    expect(stream.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(internet.asked.filter(name => name === 'web.test')).toHaveLength(1);
    const { bytesIn, bytesOut, connections } = await usage();
    expect({ connections, denied: denied.length }).toEqual({ connections: 1, denied: 0 });
    expect(bytesIn).toBe(stream.received.length);
    expect(bytesOut).toBeGreaterThan(get(host).length);
    relay.close();
  });

  test('upgrades its connection, and sends more only once the server has agreed', async () => {
    const { relay } = await open({ allow: [`web.test:${web}`] });
    const address = (await relay.ask('web.test'))!;
    const upgrade = get(`web.test:${web}`, 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
    const stream = relay.open(web, address, `${upgrade}abc`);
    await expect.poll(() => stream.received).toMatch(/^HTTP\/1.1 101 [\s\S]*\r\n\r\nabc$/);
    relay.say(stream, 'def');
    await expect.poll(() => stream.received).toMatch(/abcdef$/);
    const none = relay.open(
      web,
      address,
      get(`web.test:${web}`, 'Connection: Upgrade\r\n') + get('evil.test'),
    );
    await expect.poll(() => none.received).toContain('HTTP/1.1 200');
    expect(none.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    relay.close();
  });

  test('speaks other protocols to an allowed name, whoever speaks first, and halves end apart', async () => {
    const { relay } = await open({ allow: [`*.test:${echo}`] });
    const address = (await relay.ask('db.test'))!;
    const stream = relay.open(echo, address);
    await expect.poll(() => stream.received).toBe('hello\n');
    const big = 'x'.repeat(60_000);
    relay.say(stream, big);
    const ends = relay.open(echo, address, big, true);
    await expect.poll(() => stream.received.length).toBe(60_006);
    await expect.poll(() => ends.end).toBe('end');
    expect([ends.received.length, stream.end]).toEqual([60_006, null]);
    relay.close();
    await expect.poll(() => relay.closed).toBe(true);
  });

  test('is refused at once what no rule allows, and nobody is asked for such a name', async () => {
    const { relay, denied, usage } = await open({
      allow: [`web.test:${web}`, `*:${echo}`],
      deny: ['own.test:1-65535'],
    });
    const before = internet.asked.length;
    for (const name of ['own.test', 'forbidden.test', 'data-in-a-label.evil']) {
      const there = await relay.ask(name);
      expect(there, name).toBe(name === 'data-in-a-label.evil' ? '127.64.0.1' : null);
    }
    const address = (await relay.ask('web.test'))!;
    const wrong = [
      relay.open(echo + 1, address),
      relay.open(web, '127.64.0.77'),
      relay.open(web, '127.0.0.1'),
      relay.open(echo, '10.0.0.1'),
      relay.open(web, '127.64.0.1'),
    ];
    for (const stream of wrong) await expect.poll(() => stream.end).toBe('reset');
    expect(internet.asked.slice(before)).toEqual([]);
    expect(reasons(denied)).toEqual(new Array(7).fill('not_allowed'));
    expect(denied[0]).toEqual({ name: 'own.test', address: null, port: null, reason: 'not_allowed' });
    expect(denied.find(({ address }) => address === '10.0.0.1')).toMatchObject({ name: null, port: echo });
    expect(await usage()).toMatchObject({ denied: 7, connections: 0 });
    relay.close();
  });

  test('is refused names that mean private addresses, but for what the operator lists', async () => {
    const { relay, denied } = await open({ allow: ['*:80', `*:${web}`] });
    for (const name of ['metadata.test', 'private.test', 'own.test']) {
      const address = (await relay.ask(name))!;
      const stream = relay.open(web, address, get(`${name}:${web}`));
      await expect.poll(() => stream.end).toBe('reset');
    }
    const address = (await relay.ask('web.test'))!;
    const other = relay.open(80, address, get('web.test'));
    await expect.poll(() => other.end).toBe('reset');
    expect(reasons(denied)).toEqual(new Array(4).fill('private_address'));
    relay.close();
  });

  test('is held to one answer of a name that changes: what was judged is dialled', async () => {
    let turn = 0;
    internet.names.set('turning.test', () => (turn++ % 2 === 0 ? '10.0.0.1' : '127.0.0.1'));
    const request = get(`turning.test:${web}`);
    const streams: FakeStream[] = [];
    const refused: Denial[] = [];
    // One network may begin 128 connections at once, and few a second from there on.
    while (streams.length < 1000) {
      const { relay, denied } = await open({ allow: [`turning.test:${web}`] });
      const address = (await relay.ask('turning.test'))!;
      for (let i = 0; i < 100; i += 25) {
        const next = Array.from({ length: 25 }, () => relay.open(web, address, request, true));
        for (const stream of next) await expect.poll(() => stream.end, { interval: 2 }).not.toBeNull();
        streams.push(...next);
      }
      await expect.poll(() => denied.length).toBe(50);
      refused.push(...denied);
      relay.close();
    }
    const answered = streams.filter(({ received }) => received.startsWith('HTTP/1.1 200'));
    expect(turn).toBe(1000);
    expect(answered).toHaveLength(500);
    expect(reasons(refused)).toEqual(new Array(500).fill('private_address'));
  });

  test('is refused another host, and nothing of it goes out', async () => {
    const { relay, denied } = await open({ allow: ['*'] });
    const address = (await relay.ask('web.test'))!;
    const before = internet.asked.length;
    const said = [
      [80, get('evil.test')],
      [80, 'SSH-2.0-x\r\n'],
      [80, get('web.test', 'Host: web.test\r\n')],
      [443, get('web.test')],
    ] as const;
    for (const [port, text] of said) {
      const stream = relay.open(port, address, text);
      await expect.poll(() => stream.end).toBe('reset');
    }
    expect(reasons(denied)).toEqual(['other_name', 'not_http', 'malformed', 'not_tls']);
    expect(internet.asked.slice(before)).toEqual([]);
    relay.close();
  });

  test('is told of names that are not there, and of servers that do not answer', async () => {
    const { relay, denied } = await open({ allow: ['*', `*:${web}`] });
    const nowhere = (await relay.ask('nowhere.test'))!;
    const stream = relay.open(web, nowhere, get(`nowhere.test:${web}`));
    await expect.poll(() => stream.end).toBe('reset');
    expect(denied.at(-1)).toEqual({ name: 'nowhere.test', address: null, port: web, reason: 'not_found' });
    relay.close();
  });
});

describe('new rules', () => {
  test('end what is not allowed any more, leave what is, and change where is listened', async () => {
    const { network, relay, denied, listening } = await open({ allow: [`*.test:${echo}`] });
    const [one, other] = [(await relay.ask('db.test'))!, (await relay.ask('web.test'))!];
    const streams = [relay.open(echo, one), relay.open(echo, other)];
    for (const stream of streams) await expect.poll(() => stream.received).toBe('hello\n');
    const policy = { allow: [`web.test:${echo}`, `web.test:${web}`], deny: [] };
    egress.ask({ op: 'policy', network, policy });
    await expect.poll(() => streams[0]!.end).toBe('reset');
    await expect.poll(() => listening.length).toBe(2);
    expect([...relay.listening].sort()).toEqual([0, echo, web].sort());
    relay.say(streams[1]!, 'still here');
    await expect.poll(() => streams[1]!.received).toContain('still here');
    expect(await relay.ask('db.test')).toBeNull();
    expect(denied[0]).toMatchObject({ name: 'db.test', reason: 'not_allowed' });
    egress.ask({ op: 'policy', network, policy: { allow: [], deny: [] } });
    await expect.poll(() => streams[1]!.end).toBe('reset');
    expect(relay.listening).toEqual([0]);
    relay.close();
  });

  test('tell of a port that can’t be listened on', async () => {
    const { network, relay, listening } = await open({});
    relay.taken.set(web, 98);
    egress.ask({ op: 'policy', network, policy: { allow: [`web.test:${web}`], deny: [] } });
    await expect.poll(() => listening.at(-1)).toEqual({ port: web, error: 98 });
    relay.close();
  });
});

describe('bounds', () => {
  test('of bytes end every connection with the reason', async () => {
    const { relay, denied, usage } = await open({ allow: [`db.test:${echo}`] }, 100_000);
    const address = (await relay.ask('db.test'))!;
    const stream = relay.open(echo, address);
    for (let i = 0; i < 10; i++) relay.say(stream, 'y'.repeat(20_000));
    await expect.poll(() => stream.end).toBe('reset');
    expect(reasons(denied)).toContain('byte_limit');
    const { bytesIn, bytesOut } = await usage();
    expect(bytesIn + bytesOut).toBeLessThanOrEqual(100_000);
    relay.close();
  });

  test('of connections that never say what they want, which hold up nobody', async () => {
    const { relay } = await open({ allow: ['web.test'] });
    const address = (await relay.ask('web.test'))!;
    const streams = Array.from({ length: 100 }, () => relay.open(80, address, 'GET / HT'));
    // Another one is served meanwhile.
    const { relay: second } = await open({ allow: [`web.test:${web}`] });
    const served = second.open(web, (await second.ask('web.test'))!, get(`web.test:${web}`));
    await expect.poll(() => served.received).toContain('HTTP/1.1 200');
    expect(streams.every(({ end }) => end === null)).toBe(true);
    relay.close();
    second.close();
  });

  test.each([
    ['an unknown kind', encodeNumber(77, 1, 1)],
    ['a stream that was never opened', encodeNumber(StreamFrame.credit, 9, 1)],
    ['no frame at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('a relay that breaks the rules is hung up on: %s', async (_, bytes) => {
    const { relay } = await open({});
    relay.raw(bytes);
    await expect.poll(() => relay.closed).toBe(true);
  });
});

test('whoever does not know its key is hung up on', async () => {
  const name = /codebeaker-egress-[0-9a-f]+/.exec(readFileSync('/proc/net/unix', 'utf8'))?.[0];
  expect(name).toBeDefined();
  for (const text of ['{"key":"x","network":1}\n', 'nothing\n', 'x'.repeat(300_000)]) {
    const socket = connect({ path: `\0${name}` });
    socket.on('error', () => {});
    socket.resume().write(text);
    await new Promise(resolve => socket.once('close', resolve));
  }
});

test('a proxy is asked by name, and what it refuses is; bytes pass no faster than is set', async () => {
  const seen: string[] = [];
  const port = await internet.serve(
    createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', bytes => {
        seen.push(String(bytes));
        const refuses = String(bytes).includes('bad.test');
        socket.write(refuses ? 'HTTP/1.1 403 Forbidden\r\n\r\n' : 'HTTP/1.1 200 OK\r\n\r\nwelcome');
        if (!refuses) socket.pipe(socket);
      });
    }),
  );
  await using other = await EgressProcess.start({
    uid: isRoot ? UID : null,
    ceiling: { allow: ['*:1-65535'], deny: [], private: [] },
    resolvers: [internet.resolver],
    proxy: `http://user:p%40ss@127.0.0.1:${port}`,
    certificates: null,
    bytesPerSecond: 200_000,
  });
  const denied: Denial[] = [];
  const listener = { onListening() {}, onUsage() {}, onDenied: (denial: Denial) => denied.push(denial) };
  const socket = other.carry(other.open(listener), { allow: ['*:5432'], deny: [] }, 1_000_000);
  const relay = new FakeRelay(socket);
  const [good, bad] = [(await relay.ask('good.test'))!, (await relay.ask('bad.test'))!];
  const stream = relay.open(5432, good, 'hi');
  await expect.poll(() => stream.received).toBe('welcomehi');
  const begun = performance.now();
  relay.say(stream, 'x'.repeat(50_000));
  relay.say(stream, 'x'.repeat(50_000));
  await expect.poll(() => stream.received.length, { timeout: 20_000 }).toBe(100_009);
  // Both ways, without the first quarter of a second's.
  expect(performance.now() - begun).toBeGreaterThan(700);
  const refused = relay.open(5432, bad, 'hi');
  await expect.poll(() => refused.end).toBe('reset');
  expect(denied).toEqual([{ name: 'bad.test', address: null, port: 5432, reason: 'unreachable' }]);
  expect(seen[0]).toContain('CONNECT good.test:5432 HTTP/1.1\r\n');
  expect(seen[0]).toContain(`Proxy-Authorization: Basic ${Buffer.from('user:p@ss').toString('base64')}\r\n`);
  expect(internet.asked).not.toContain('good.test');
});

test('what a sandbox has used of its bounds stays used when its relay ends, and so do its names', async () => {
  const { network, relay, carry, listening, usage } = await open({ allow: [`*:${echo}`] }, 14);
  const address = (await relay.ask('db.test'))!;
  const stream = relay.open(echo, address, '1234');
  await expect.poll(() => stream.received).toBe('hello\n1234');
  relay.close();
  const again = carry();
  await expect.poll(() => listening.length).toBe(2);
  expect(await again.ask('db.test')).toBe(address);
  const more = again.open(echo, address);
  await expect.poll(() => more.end).toBe('reset');
  expect(await usage()).toMatchObject({ bytesIn: 10, bytesOut: 4, connections: 2, denied: 1 });
  egress.end(network);
});

test('it tells what all networks have done, and why it refused', async () => {
  const before = await egress.totals();
  const { relay } = await open({ allow: [`db.test:${echo}`] });
  expect(await relay.ask('elsewhere.test')).toBeNull();
  const stream = relay.open(echo, (await relay.ask('db.test'))!, 'hi');
  await expect.poll(() => stream.received).toBe('hello\nhi');
  const after = await egress.totals();
  expect(after.bytesIn - before.bytesIn).toBe(8);
  expect(after.bytesOut - before.bytesOut).toBe(2);
  expect(after.connections - before.connections).toBe(1);
  expect(after.lookUps - before.lookUps).toBe(1);
  expect(after.denied.not_allowed - before.denied.not_allowed).toBe(1);
});
