import { expect, test } from 'vitest';
import { comparable, expectedOf, isExpected } from '../../../routes/judge0/expected.ts';

const same = (expected: string, stdout: string | Buffer) =>
  isExpected(expectedOf(Buffer.from(expected)), { stdout: Buffer.from(stdout), whole: true });

test.each([
  ['1\n2\n', '1\n2'],
  ['1  \n2\t\n\n\n', '1\n2'],
  ['1\r\n2\r\n', '1\n2\n'],
  ['a\n\n\nb', 'a \n \n\t\nb'],
  ['', '\n  \n'],
  ['a\0\0', 'a'],
])('%j and %j are the same', (expected, stdout) => {
  expect(same(expected, stdout)).toBe(true);
});

test.each([
  ['1 2', '1  2'],
  ['1\n2', '1\n\n2'],
  [' 1', '1'],
  ['1', '\n1'],
  ['é', 'e\u0301'],
])('%j and %j are not', (expected, stdout) => {
  expect(same(expected, stdout)).toBe(false);
});

test('bytes that are no text are compared as they are', () => {
  expect(same('\ufffd', Buffer.from([0xff]))).toBe(false);
});

test('a megabyte of blanks is compared in one pass', () => {
  expect(comparable(Buffer.from(`${' '.repeat(2 ** 20)}x`)).length).toBe(2 ** 20 + 1);
  expect(comparable(Buffer.from(' \n'.repeat(2 ** 19))).length).toBe(0);
});

test('of output that was not all kept only what is longer already is known to be another', () => {
  const kept = { stdout: Buffer.from('12345'), whole: false };
  expect(isExpected(expectedOf(Buffer.from('1234')), kept)).toBe(false);
  expect(isExpected(expectedOf(Buffer.from('12345')), kept)).toBeUndefined();
  expect(isExpected(expectedOf(Buffer.from('123456')), kept)).toBeUndefined();
});
