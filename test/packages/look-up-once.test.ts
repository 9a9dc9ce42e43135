import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { lookUpOnce } from '../../src/packages/registry/look-up-once.ts';

/** Look-ups of this process as Node itself makes them, of which the first `failing` find nothing. */
function countLookUps(failing = 0): { count: number } {
  const { lookup } = dns;
  const asked = { count: 0 };
  onTestFinished(() => void Object.assign(dns, { lookup }));
  const counted: LookupFunction = (name, options, done) => {
    if (asked.count++ < failing) done(new Error('SERVFAIL'), '');
    else lookup(name, options, done);
  };
  Object.assign(dns, { lookup: counted });
  lookUpOnce();
  return asked;
}

test('requests that are under way at once have connections of their own, and one look-up for all', async () => {
  const open: ServerResponse[] = [];
  const server = createServer((_, response) => {
    open.push(response);
    // None is answered before all are there.
    if (open.length === 20) for (const each of open) each.end('x');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const asked = countLookUps();
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const answers = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(url)).text()));
  expect(answers).toEqual(Array(20).fill('x'));
  expect(new Set(open.map(({ req }) => req.socket.remotePort)).size).toBe(20);
  expect(asked.count).toBe(1);
});

test('a name that was not found is looked up again', async () => {
  const asked = countLookUps(1);
  const find = async () => {
    const found = Promise.withResolvers<string | null>();
    dns.lookup('localhost', { family: 4 }, (error, address) => found.resolve(error ? null : address));
    return found.promise;
  };
  const found = [await find(), await find(), await find()];
  expect([...found, asked.count]).toEqual([null, '127.0.0.1', '127.0.0.1', 2]);
});
