import { expect, test } from 'vitest';
import { Dialer } from '../../../src/network/egress/dialer.ts';
import { LookUps } from '../../../src/network/egress/look-ups.ts';
import { Places } from '../../../src/network/egress/places.ts';

/** Look-ups that the test answers, in the order in which they began. */
function slow() {
  const begun: { name: string; answer: PromiseWithResolvers<readonly string[]> }[] = [];
  const lookUps = new LookUps(name => {
    const answer = Promise.withResolvers<readonly string[]>();
    begun.push({ name, answer });
    return answer.promise;
  });
  return { lookUps, begun };
}
const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}.test`);
const settled = () => new Promise(resolve => setImmediate(resolve));

test('a network looks up eight names at once, and the others in their order, also after those that fail', async () => {
  const { lookUps, begun } = slow();
  const asked = names(11).map(name => lookUps.of(name).catch((error: Error) => error.message));
  await settled();
  expect(begun.map(({ name }) => name)).toEqual(names(8));
  begun[3]!.answer.resolve(['192.0.2.1']);
  begun[5]!.answer.reject(new Error('SERVFAIL'));
  await settled();
  expect(begun.map(({ name }) => name)).toEqual(names(10));
  for (let i = 0; i < 11; i++) {
    begun[i]?.answer.resolve([`192.0.2.${i}`]);
    await settled();
  }
  expect(begun).toHaveLength(11);
  const answers = await Promise.all(asked);
  expect([answers[3], answers[5], answers[10]]).toEqual([['192.0.2.1'], 'SERVFAIL', ['192.0.2.10']]);
  // All eight places are free again.
  for (const name of names(8)) void lookUps.of(name);
  await settled();
  expect(begun).toHaveLength(19);
});

test('more names than connections can wait for are refused, and what waits begins no more once its network has ended', async () => {
  const { lookUps, begun } = slow();
  const asked = names(136).map(name => lookUps.of(name).catch((error: Error) => error.message));
  await expect(lookUps.of('more.test')).rejects.toThrow('too many names');
  lookUps.close();
  for (const { answer } of begun) answer.resolve([]);
  expect((await Promise.all(asked)).filter(answer => answer === 'its network has ended')).toHaveLength(128);
  expect(begun).toHaveLength(8);
});

test('of a name with thousands of addresses a few are judged', async () => {
  const found = Array.from({ length: 4000 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
  const dialer = new Dialer(async () => found, null);
  let judged = 0;
  const policy = { mayDial: () => void judged++ } as never;
  await expect(dialer.dialName('many.test', 80, policy)).rejects.toMatchObject({ reason: 'private_address' });
  expect(judged).toBe(64);
});

test('networks that take all places leave every other one sixteen', () => {
  const places = new Places();
  const takes = (count: number) => Array.from({ length: count }, (_, has) => places.take(has));
  for (let i = 0; i < 16; i++) expect(takes(128)).not.toContain(false);
  for (let i = 0; i < 3; i++) expect(takes(20)).toEqual([...Array(16).fill(true), ...Array(4).fill(false)]);
  for (let i = 0; i < 48; i++) places.give();
  expect(places.take(100)).toBe(false);
  places.give();
  expect(places.take(100)).toBe(true);
});
