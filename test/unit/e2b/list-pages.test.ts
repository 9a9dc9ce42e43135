import { expect, it } from 'vitest';
import { pageOf, readListQuery } from '../../../routes/e2b/list-query.ts';
import type { Sandbox, Sandboxes } from '../../../routes/e2b/sandboxes.ts';
import type { Call } from '../../../src/service/call.ts';

const call = { owner: null } as Call;
const note = 'x'.repeat(60_000);
const all = Array.from({ length: 40 }, (_, number) => ({ id: `sandbox ${number}`, number }) as Sandbox);
/** Sandboxes whose metadata is as long as it may be. */
const sandboxes = {
  of: () => all.toReversed(),
  info: async () => ({ createdAt: new Date().toISOString(), config: { metadata: { note } } }),
} as unknown as Sandboxes;

it('a page of a list has so much metadata, and the next one goes on after it', async () => {
  const numbers: number[] = [];
  const lengths: number[] = [];
  let nextToken: string | null = '';
  while (nextToken !== null) {
    const { found, next } = await pageOf(sandboxes, readListQuery({ nextToken }), call);
    numbers.push(...found.map(({ sandbox }) => sandbox.number));
    lengths.push(JSON.stringify(found.map(({ info }) => info.config.metadata)).length);
    nextToken = next;
  }
  expect(numbers).toEqual(all.map(({ number }) => number).reverse());
  expect(lengths).toHaveLength(2);
  expect(Math.max(...lengths)).toBeLessThan(2.1 * 1024 * 1024);
});
