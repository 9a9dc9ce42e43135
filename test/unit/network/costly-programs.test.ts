import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { Connection } from '../../../src/network/egress/connection.ts';
import { Counted } from '../../../src/network/egress/counted.ts';
import { Dialer } from '../../../src/network/egress/dialer.ts';
import { Places } from '../../../src/network/egress/places.ts';
import { ServedNetwork } from '../../../src/network/egress/served-network.ts';
import { Policy } from '../../../src/network-rules/policy.ts';

/** One process serves the networks of all sandboxes: what a program may have it do has bounds, counted in steps. */
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const networkOf = () =>
  new ServedNetwork({
    dialer: new Dialer(async () => [], null),
    places: new Places(),
    policy: new Policy({ allow: ['*'], deny: [] }, CEILING),
    bytesPerSecond: 1,
    bytes: 1,
    counted: new Counted(),
    onDenied: () => {},
  });
const CEILING = { allow: ['*:1-65535'], deny: [], private: [] };

test('a question looks at each rule once, however many ports they name', () => {
  const allow = Array.from({ length: 100 }, () => '*.test:1-64');
  const deny = [...Array.from({ length: 99 }, (_, i) => `*.a${i}.test:1-65535`), '*.test:1-65535'];
  const policy = new Policy({ allow, deny }, CEILING);
  const looks = vi.spyOn(String.prototype, 'endsWith');
  expect(policy.knowsName('x.test')).toBe(false);
  expect(looks).toHaveBeenCalledTimes(200);
});

test('of questions that come faster than programs look up names, so many are answered', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const network = networkOf();
  let answered = 0;
  const relay = { answer: () => void answered++ } as never;
  const question = Buffer.from('\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x04name\x04test\0\0\x01\0\x01', 'latin1');
  const ask = (count: number) => {
    for (let i = 0; i < count; i++) network.onQuestion(relay, i, question);
  };
  ask(5000);
  expect(answered).toBe(1024);
  vi.advanceTimersByTime(1000);
  ask(5000);
  expect(answered).toBe(1280);
});

test('what connections begin with is looked at up to a bound a second, and waits above it', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const network = networkOf();
  expect(network.looked(4 * 1024 * 1024)).toBeUndefined();
  expect(network.looked(1)).toBeInstanceOf(Promise);
  vi.advanceTimersByTime(1000);
  expect(network.looked(1024 * 1024)).toBeUndefined();
});

test('a connection reads no more of what it begins with before its network may look at it', async () => {
  const stream = new PassThrough();
  const looks: number[] = [];
  const turns: PromiseWithResolvers<void>[] = [];
  const surroundings = {
    names: { nameOf: () => 'web.test' },
    dialer: { judges: false },
    policy: { allowsName: () => true },
    looked(bytes: number) {
      looks.push(bytes);
      turns.push(Promise.withResolvers());
      return turns.at(-1)!.promise;
    },
  };
  const connection = new Connection(surroundings as never, stream as never, { port: 80, address: 1 });
  void connection.run();
  stream.write(`GET /${'a'.repeat(995)}`);
  await expect.poll(() => looks).toEqual([1000]);
  stream.write('a'.repeat(1000));
  await new Promise(resolve => setImmediate(resolve));
  expect(looks).toEqual([1000]);
  turns[0]!.resolve();
  await expect.poll(() => looks).toEqual([1000, 2000]);
  turns[1]!.resolve();
  stream.destroy();
});
