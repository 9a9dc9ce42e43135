import { expect, test } from 'vitest';
import { wordsOf } from '../../../routes/judge0/words.ts';

test.each([
  ['', []],
  ['  a  b\tc ', ['a', 'b', 'c']],
  [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
  [`a'b'"c"`, ['abc']],
  [`'' ""`, ['', '']],
  [`'\\' "\\"" "\\n"`, ['\\', '"', '\\n']],
  ['$HOME *; `x` | y', ['$HOME', '*;', '`x`', '|', 'y']],
])('%j is %j', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});

test.each(["'a", '"a', 'a\\'])('%j has no end', line => {
  expect(wordsOf(line)).toBeNull();
});
