import { readdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EgressProcess } from '../../src/network/egress-process.ts';
import { FakeInternet } from './fake-internet.ts';
import { FakeRelay } from './fake-relay.ts';

/** What a sandbox leaves of its network when it ends. */
let internet: FakeInternet;
let egress: EgressProcess;
let stalled: number;
/** Connections of a server that never says or ends anything. */
const connections: Socket[] = [];

beforeAll(async () => {
  internet = await FakeInternet.start();
  internet.names.set('db.test', '127.0.0.1');
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {});
    connections.push(socket.resume());
  });
  stalled = await internet.serve(server);
  egress = await EgressProcess.start({
    uid: null,
    ceiling: { allow: ['*:1-65535'], deny: [], private: [`127.0.0.1:${stalled}`] },
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

/** Of the egress process: one for each connection, and one for each relay. */
const descriptors = () => readdirSync(`/proc/${egress.pid}/fd`).length;

test.each([
  ['that the program goes on with', false],
  ['of which the program has ended its half', true],
])('a connection %s is closed with its network, though the server never ends it', async (_, ends) => {
  connections.length = 0;
  const listener = { onListening() {}, onDenied() {}, onUsage() {} };
  const policy = { allow: [`db.test:${stalled}`], deny: [] };
  const relay = new FakeRelay(egress.carry(egress.open(listener), policy, 1_000_000));
  const address = (await relay.ask('db.test'))!;
  for (let i = 0; i < 5; i++) relay.open(stalled, address, 'hello', ends);
  await expect.poll(() => connections.length).toBe(5);
  await expect.poll(() => connections.every(each => each.readableEnded === ends)).toBe(true);
  const open = descriptors();
  relay.close();
  // A server hears nothing of the end of what has ended its half already.
  await expect.poll(() => open - descriptors()).toBeGreaterThanOrEqual(6);
});

test('a connection that comes after its network was ended is hung up on, and begins no other', async () => {
  const listener = { onListening() {}, onDenied() {}, onUsage() {} };
  const network = egress.open(listener);
  const policy = { allow: [`db.test:${stalled}`], deny: [] };
  const carry = () => new FakeRelay(egress.carry(network, policy, 1_000_000));
  const first = carry();
  await expect.poll(() => first.listening).toEqual([0, stalled]);
  const next = carry();
  await expect.poll(() => next.listening).toEqual([0, stalled]);
  await expect.poll(() => first.closed).toBe(true);
  egress.end(network);
  await expect.poll(() => next.closed).toBe(true);
  const late = carry();
  await expect.poll(() => late.closed).toBe(true);
  expect(late.listening).toEqual([]);
});
