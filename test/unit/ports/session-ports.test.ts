import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { EgressLost } from '../../../src/network/egress-process.ts';
import type { SandboxNetwork } from '../../../src/network/sandbox-network.ts';
import { SandboxLost } from '../../../src/sandbox.ts';
import { SessionPorts } from '../../../src/service/ports/session-ports.ts';
import { pass, settle, standStill } from '../support/clock.ts';

standStill();

/** The ports of a session in whose sandbox what looks for them never says a word. */
function silent(network: () => Promise<SandboxNetwork> = () => new Promise(() => {}), held: number[] = []) {
  const session = {
    id: 'a',
    hold: () => ({ [Symbol.dispose]() {} }),
    lease: { sandbox: { spawn: () => new Promise(() => {}) } },
  };
  return new SessionPorts({
    session: session as never,
    network,
    held: () => held,
    onChange() {},
    onExposed() {},
    onGone() {},
  });
}

test('who asks for ports gets an answer where the program that looks for them is stopped', async () => {
  using ports = silent();
  let answer: unknown;
  void ports.list().then(listed => (answer = listed));
  await settle();
  expect(answer).toBe(undefined);
  await pass(5000);
  expect(answer).toEqual([]);
});

test('ports that the session’s own network listens on are exposed to nobody', () => {
  using ports = silent(undefined, [53, 443]);
  const expose = (port: number) => ports.expose(port, { ttlSeconds: null, isPublic: true });
  for (const port of [53, 443]) expect(() => expose(port)).toThrow(`listens on ${port}`);
  expect(expose(80).port).toBe(80);
});

test('nor are they asked by the session’s id, by which all other ports are until it ends', async () => {
  const asked: number[] = [];
  const opened = new PassThrough();
  const network = async () => ({
    request(port: number) {
      asked.push(port);
      return opened;
    },
    [Symbol.dispose]() {},
  });
  const ports = silent(network as never, [443]);
  const ask = (port: number) =>
    ports.request(port, { method: 'GET', path: '/', headers: [], upgrade: false }, 'id');
  await expect(ask(443)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await ask(8000);
  expect(asked).toEqual([8000]);
  ports[Symbol.dispose]();
  expect(opened.destroyed).toBe(true);
  await expect(ask(8000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(asked).toEqual([8000]);
});

test('a port that is exposed for a time is closed after it, to what was open too, unless it is exposed anew', async () => {
  const opened = new PassThrough();
  const network = async () => ({ request: () => opened, [Symbol.dispose]() {} });
  using ports = silent(network as never);
  const request = () => ports.request(8000, { method: 'GET', path: '/', headers: [], upgrade: false });
  const expose = (ttlSeconds: number | null) => ports.expose(8000, { ttlSeconds, isPublic: true });
  const { label, token } = expose(10);
  await pass(9000);
  expect(expose(10)).toMatchObject({ label, token });
  await pass(9000);
  await request();
  await pass(2000);
  expect(opened.destroyed).toBe(true);
  await expect(request()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(expose(10).label).not.toBe(label);
  expose(null);
  await pass(3_600_000);
  expect(ports.unexpose(8000)).toBe(true);
});

test('a connection that outlives sessions keeps nothing of them', () => {
  const { signal } = new AbortController();
  const ports = silent();
  ports.follow(() => {}, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  ports[Symbol.dispose]();
  ports.follow(() => {}, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test.each([
  ['the egress process has ended', () => Promise.reject(new EgressLost('ended')), 'RUNTIME_UNAVAILABLE'],
  ['there is none to be had', async () => ({ request: () => null }) as never, 'RUNTIME_UNAVAILABLE'],
  ['the sandbox has gone', () => Promise.reject(new SandboxLost('gone')), 'SESSION_CLOSED'],
])('a request is refused with a reason where %s', async (_, network, code) => {
  using ports = silent(network);
  ports.expose(8000, { ttlSeconds: null, isPublic: true });
  const request = { method: 'GET', path: '/', headers: [], upgrade: false };
  await expect(ports.request(8000, request)).rejects.toMatchObject({ code });
});
