import { expect, test } from 'vitest';
import { jsonOf, printable, printableLines, table } from '../../../src/cli/printable.ts';

/** What strangers named, in somebody's terminal. */
test('nothing of it moves the cursor, asks the terminal, hides, or turns text around', () => {
  expect(printable('a\x1b]0;title\x07b')).toBe('a\\u{1b}]0;title\\u{7}b');
  expect(printable('\x9b2J\r\n\t\x7f')).toBe('\\u{9b}2J\\u{d}\\u{a}\\u{9}\\u{7f}');
  expect(printable('\u202egnp.exe\u2028\u200b')).toBe('\\u{202e}gnp.exe\\u{2028}\\u{200b}');
  expect(printable('\ud800')).toBe('\\u{d800}');
  expect(printable('naïve 日本 🙂 \\u{1b}')).toBe('naïve 日本 🙂 \\u{1b}');
  expect(printableLines('one\r\ntwo\x1b')).toBe('one\ntwo\\u{1b}');
});

test('JSON says the same, and nothing that a terminal obeys', () => {
  const value = { 'a\x9b2J': ['\x1b[2J\x7f\n', '日本 🙂'] };
  expect(jsonOf(value)).toBe('{"a\\u009b2J":["\\u001b[2J\\u007f\\n","日本 🙂"]}');
  expect(JSON.parse(jsonOf(value, 2))).toEqual(value);
  expect(jsonOf(undefined)).toBe('null');
});

test('a table has a line for each row, whatever is in it', () => {
  expect(
    table([
      ['name', 'state'],
      ['a\nb', 'Idle'],
    ]),
  ).toBe('name     state\na\\u{a}b  Idle');
});
