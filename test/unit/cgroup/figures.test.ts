import { expect, it } from 'vitest';
import { numberIn, numberOf } from '../../../src/cgroup/figures.ts';

it.each([
  ['0', 0],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['12', 12],
  ['', null],
  ['max', null],
  ['12max', null],
  ['-1', null],
])('the number of a file that holds %j is read from its text and from its bytes', (text, number) => {
  expect(numberOf(text)).toBe(number);
  // What is left in the buffer of a longer file says nothing.
  for (const line of [text, `${text}\n`])
    expect(numberIn(Buffer.from(`${line}345`), line.length)).toBe(number);
});
