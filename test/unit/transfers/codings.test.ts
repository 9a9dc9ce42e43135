import { randomBytes } from 'node:crypto';
import { brotliCompressSync, createGunzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FairTurns } from '../../../src/service/admission/fair-turns.ts';
import { Coder } from '../../../src/service/transfers/coder.ts';
import { CODINGS, type Coding, Codings } from '../../../src/service/transfers/codings.ts';
import { numbersFrom } from '../../support/numbers-from.ts';

const MIB = 1024 * 1024;
const PACK = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;

/** What comes of it, given in pieces of random sizes. */
async function through(coder: Coder, data: Buffer, random: () => number): Promise<Buffer> {
  const made: Uint8Array[] = [];
  for (let at = 0, next = 0; at < data.byteLength; at = next) {
    next = at + 1 + Math.floor(random() ** 4 * 200_000);
    for await (const piece of coder.write(data.subarray(at, next))) made.push(piece);
  }
  for await (const piece of coder.end()) made.push(piece);
  coder.close();
  return Buffer.concat(made);
}

test.each(CODINGS)('%s is done and undone, whatever the pieces that come', async coding => {
  const random = numbersFrom(1);
  const codings = new Codings(1, () => {});
  for (const data of [randomBytes(500_000), Buffer.alloc(3 * MIB, 'text '), Buffer.alloc(0), Buffer.of(1)]) {
    const packed = await through(codings.open('a', coding, 'encode'), data, random);
    const back = await through(codings.open('b', coding, 'decode'), packed, random);
    expect(back.equals(data)).toBe(true);
  }
});

test.each(CODINGS)('a client with one %s gets as much done as one with four bombs', async coding => {
  const spent: string[] = [];
  const codings = new Codings(1, (...[of, direction]) => spent.push(`${of} ${direction}`));
  const bytes = { evil: 0, good: 0 };
  const bomb = PACK[coding](Buffer.alloc(16 * MIB));
  const undo = async (client: 'evil' | 'good') => {
    const coder = codings.open(client, coding, 'decode');
    for await (const piece of coder.write(bomb)) {
      expect(piece.byteLength).toBeLessThanOrEqual(16 * 1024);
      bytes[client] += piece.byteLength;
      if (bytes.good > 4 * MIB) break;
    }
    coder.close();
  };
  await Promise.all((['evil', 'evil', 'evil', 'evil', 'good'] as const).map(undo));
  expect(bytes.evil).toBeLessThan(1.1 * bytes.good);
  expect(new Set(spent)).toEqual(new Set([`${coding} decode`]));
});

test('a broken one fails, and one that is closed before its turn or in it keeps nobody waiting', async () => {
  const codings = new Codings(1, () => {});
  const open = (coding: Coding) => codings.open('a', coding, 'decode');
  for (const coding of CODINGS) {
    const broken = open(coding);
    await expect(broken.write(Buffer.alloc(1000, 'nothing')).next()).rejects.toThrow();
    await expect(broken.end().next()).rejects.toThrow();
    broken.close();
    const [begun, waiting, last] = [open(coding), open(coding), open(coding)];
    const packed = PACK[coding](Buffer.alloc(MIB));
    const all = [begun, waiting, last].map(coder => coder.write(packed).next());
    begun.close();
    waiting.close();
    const [, second, third] = await Promise.allSettled(all);
    expect(second).toMatchObject({ reason: { code: 'CANCELLED' } });
    expect(third).toMatchObject({ value: { done: false } });
    last.close();
    const [busy, alone] = [open(coding), codings.open('b', coding, 'decode')];
    const begins = busy.write(packed).next();
    const leaves = alone.write(packed).next();
    alone.close();
    await expect(leaves).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(alone.end().next()).rejects.toMatchObject({ code: 'CANCELLED' });
    await begins;
    busy.close();
  }
});

test('who is closed while others have all turns keeps nobody waiting', async () => {
  const turns = new FairTurns(1);
  const end = await turns.join('a').next();
  const coder = new Coder({ stream: createGunzip(), turns: turns.join('b'), cost: () => 0 });
  const waiting = coder.write(Buffer.of(1)).next();
  coder.close();
  end(0);
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  coder.close();
  await expect(coder.write(Buffer.of(1)).next()).rejects.toMatchObject({ code: 'CANCELLED' });
  (await turns.join('b').next())(0);
});

test('turns go to who has used least, and who wanted none has saved nothing', async () => {
  const turns = new FairTurns(1);
  const log: string[] = [];
  const use = async (client: string, cost: number, times: number) => {
    const place = turns.join(client);
    for (let i = 0; i < times; i++) {
      const end = await place.next();
      log.push(client);
      await Promise.resolve();
      end(cost);
    }
    place.leave();
  };
  const kept = turns.join('c');
  await use('a', 3, 10);
  await Promise.all([use('a', 3, 2), use('a', 3, 2), use('b', 1, 6), use('b', 1, 6), use('c', 1, 3)]);
  kept.leave();
  expect(log.slice(10).join('')).toMatchInlineSnapshot(`"acbcbcbabbbabbbabbb"`);
});
