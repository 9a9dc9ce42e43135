import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { Counted } from '../../../src/network/egress/counted.ts';
import { ServedNetworks } from '../../../src/network/egress/served-networks.ts';
import { Policy } from '../../../src/network-rules/policy.ts';
import { settle } from '../support/clock.ts';

/** Places of all networks together, from which on one has no more than its share (src/network/egress/places.ts). */
const TOGETHER = 2048;
const SHARE = 16;
/** Of one session, as its bound allows. */
const EACH = 64;

test('connections to ports take places of the process, and few sessions leave others their share', async () => {
  const networks = new ServedNetworks({
    key: 'key',
    dialer: () => ({ [Symbol.dispose]() {} }) as never,
    counted: new Counted(),
    policyOf: texts => new Policy(texts, { allow: [], deny: [], private: [] }, []),
    bytesPerSecond: 1024,
    send() {},
  });
  const greet = (greeting: object): Duplex => {
    const [ours, theirs] = duplexPair();
    ours.on('error', () => {}).resume();
    networks.greet(theirs as Socket);
    ours.write(`${JSON.stringify({ key: 'key', ...greeting })}\n`);
    // `ours` ends where the other end is destroyed.
    return Object.assign(ours, { other: theirs });
  };
  const openNetwork = (network: number) =>
    greet({ network, first: true, policy: { allow: [], deny: [] }, bytes: 0, outward: false });
  const connect = (network: number) => greet({ network, port: 80 }) as Duplex & { other: Duplex };
  const full = TOGETHER / EACH;
  for (let network = 0; network <= full; network++) openNetwork(network);
  await settle();
  const taken = Array.from({ length: TOGETHER }, (_, i) => connect(i % full));
  await settle();
  expect(taken.filter(({ other }) => other.destroyed)).toEqual([]);
  const more = Array.from({ length: SHARE + 1 }, () => connect(full));
  await settle();
  expect(more.map(({ other }) => other.destroyed)).toEqual([...new Array(SHARE).fill(false), true]);
  for (const { other } of [...taken.slice(0, SHARE + 1)]) other.destroy();
  await settle();
  const again = connect(full);
  await settle();
  expect(again.other.destroyed).toBe(false);
});
