import { describe, expect, it } from 'vitest';
import { CellNames, tracebackLines } from '../../../routes/jupyter/traceback-lines.ts';

describe('a traceback', () => {
  it('names cells as the notebook counts them, and what else the interpreter ran as it did', () => {
    const names = new CellNames();
    for (const count of [null, 1, null, 2]) names.begin(count);
    expect(names.rename('Cell <cell 2>, line 1\n  File "<cell 4>", line 3\n<cell 3> <cell 99>')).toBe(
      'Cell In[1], line 1\n  Cell In[2], line 3\n<cell 3> <cell 99>',
    );
    names.clear();
    names.begin(7);
    expect(names.rename('<cell 1> <cell 2>')).toBe('In[7] <cell 2>');
  });

  it('keeps the lines of a place together', () => {
    expect(
      tracebackLines('----\nE   Traceback\nCell In[1], line 2\n      1 a\n----> 2 b\n\nE: no\n\n'),
    ).toEqual(['----', 'E   Traceback', 'Cell In[1], line 2\n      1 a\n----> 2 b\n', 'E: no']);
  });

  // A search for the end that begins anew at every line takes a quarter of a minute for the first.
  it('of any length is looked through once', () => {
    const names = new CellNames();
    for (const text of ['\n'.repeat(64 * 1024), '\n-'.repeat(32 * 1024), '<cell 1'.repeat(10_000)])
      expect(tracebackLines(names.rename(`${text}x`)).join('\n')).toBe(`${text}x`);
  });
});
