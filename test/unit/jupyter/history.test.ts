import { describe, expect, test } from 'vitest';
import { History } from '../../../routes/jupyter/history.ts';
import { QUESTIONS } from '../../../routes/jupyter/questions.ts';

const CELLS = ['import os', 'x = {"a/b": 1}', 'import os', 'print(x)\nprint(os)'];

function filled(cells: readonly string[] = CELLS): History {
  const history = new History();
  for (const [i, code] of cells.entries()) history.add(i + 1, code);
  return history;
}

/** Numbers of the cells that are found. */
const found = (search: object) =>
  filled()
    .read({ hist_access_type: 'search', ...search })
    .map(entry => (entry as unknown[])[1]);

describe('a search of the history', () => {
  test.each([
    ['import*', [1, 3]],
    ['*print*', [4]],
    ['*a/b*', [2]],
    ['x = {*}', [2]],
    ['import o?', [1, 3]],
    ['import [a-z]s', [1, 3]],
    ['*', [1, 2, 3, 4]],
    ['**', [1, 2, 3, 4]],
    ['import', []],
    ['', []],
  ])('finds whole cells by the pattern %j', (pattern, numbers) => {
    expect(found({ pattern })).toEqual(numbers);
  });

  test('answers the last of them, and each code once where that is asked for', () => {
    expect(found({ pattern: '*', n: 2 })).toEqual([3, 4]);
    expect(found({ pattern: '*', unique: true })).toEqual([2, 3, 4]);
    expect(found({ pattern: 'import*', unique: true, n: 1 })).toEqual([3]);
  });

  test.each([[{}], [{ pattern: 1 }], [{ pattern: '*'.repeat(1001) }]])('finds nothing by %j', search => {
    expect(found(search)).toEqual([]);
  });

  test('is refused when it takes too long, and ends no socket', async () => {
    const history = filled(['a'.repeat(200_000)]);
    const pattern = `*${'a'.repeat(500)}b*`;
    const asked = { hist_access_type: 'search', pattern };
    const answer = await QUESTIONS.history_request!(asked, { history } as never);
    expect(answer).toMatchObject({ status: 'error', ename: 'VALIDATION_ERROR', history: [] });
  });
});
