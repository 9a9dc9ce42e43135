import { expect, test } from 'vitest';
import { python } from '../../../src/packages/python.ts';

/** What a file of requirements means, which a program may have written. */
const listOf = (text: string) => python.listIn('requirements.txt', text);

test('lines are requirements, but for what is empty or a comment', () => {
  expect(listOf('six\n\n# a comment\r\n pandas==2.* # another\nidna#1\n#')).toEqual([
    'six',
    'pandas==2.*',
    'idna#1',
  ]);
});

test.each(['\r', '\u2028', '\u2029'])('a comment goes to its line’s end, also over %j', end => {
  expect(listOf(`six #${' #'.repeat(1000)}${end}x\nidna`)).toEqual(['six', 'idna']);
});
