import { expect, test } from 'vitest';
import { execute } from '../../../routes/jupyter/execute.ts';
import { History } from '../../../routes/jupyter/history.ts';

test('an expression’s failure whose words are no texts has none', async () => {
  const noText = { toString: 1, valueOf: 1 };
  const forged = { a: { name: noText, message: noText, traceback: noText } };
  const { content } = await execute(
    { code: '', silent: true, user_expressions: { a: 'x' } },
    {
      interpreter: { ask: async () => forged } as never,
      count: 1,
      broadcast: async () => {},
      ask: async () => {},
    },
  );
  expect(content.user_expressions).toEqual({
    a: { status: 'error', ename: '', evalue: '', traceback: expect.any(Array) },
  });
});

test('a range of the history begins at a number, and of anything else at the first', () => {
  const history = new History();
  for (const line of [1, 2, 3]) history.add(line, `${line}`);
  const lines = (range: object) =>
    history.read({ hist_access_type: 'range', ...range }).map(each => (each as unknown[])[1]);
  expect(lines({ start: 2 })).toEqual([2, 3]);
  expect(lines({ start: 2, stop: 3 })).toEqual([2]);
  expect(lines({ start: ['2'], stop: '3' })).toEqual([1, 2, 3]);
});
