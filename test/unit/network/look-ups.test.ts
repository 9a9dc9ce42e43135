import { expect, test } from 'vitest';
import { atMost } from '../../../src/network/egress/look-ups.ts';

test('so many names are looked up at once, and the next in the order asked, however the ones before end', async () => {
  const asked: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<readonly string[]>>();
  const lookUp = atMost(2, name => {
    asked.push(name);
    const answer = Promise.withResolvers<readonly string[]>();
    answers.set(name, answer);
    return answer.promise;
  });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(lookUp) as [Promise<unknown>, ...Promise<unknown>[]];
  expect(asked).toEqual(['a', 'b']);
  answers.get('b')!.reject(new Error('no such name'));
  await expect(b).rejects.toThrow('no such name');
  expect(asked).toEqual(['a', 'b', 'c']);
  answers.get('c')!.resolve(['10.0.0.1']);
  expect(await c).toEqual(['10.0.0.1']);
  expect(asked).toEqual(['a', 'b', 'c', 'd']);
  for (const name of ['a', 'd']) answers.get(name)!.resolve([]);
  await Promise.all([a, d]);
});
