import { expect, test } from 'vitest';
import { pathBytes, pathText } from '../../src/wire/path-bytes.ts';
import { numbersFrom } from '../support/numbers-from.ts';

test.each([
  ['caf\\xe9', [0x63, 0x61, 0x66, 0xe9]],
  ['\\xff\\xfe', [0xff, 0xfe]],
  // A character that ends too early, half of a surrogate pair, and a whole one.
  ['\\xf0\\x9f\\x98é', [0xf0, 0x9f, 0x98, 0xc3, 0xa9]],
  ['\\xed\\xa0\\x80', [0xed, 0xa0, 0x80]],
  // A name that looks like such a spelling.
  ['\\x5cxe9', [...Buffer.from('\\xe9')]],
  ['\\x5cxff\\xff', [...Buffer.from('\\xff'), 0xff]],
  ['\\x5cx5c', [...Buffer.from('\\x5c')]],
  ['\\x41 \\xFF \\n 漢', [...Buffer.from('\\x41 \\xFF \\n 漢')]],
])('%j spells a name', (text, bytes) => {
  expect(pathText(Buffer.from(bytes))).toBe(text);
  expect([...pathBytes(text)]).toEqual(bytes);
});

test('every name comes back as it was', () => {
  const random = numbersFrom(23);
  const letters = [...Buffer.from('\\x59efc'), 0xc3, 0xa9, 0xff, 0xf0, 0x9f, 0x98, 0x80];
  const letter = () => letters[Math.floor(random() * letters.length)]!;
  for (let i = 0; i < 20_000; i++) {
    const name = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 9) }, letter));
    expect(pathBytes(pathText(name)).equals(name), name.toString('hex')).toBe(true);
  }
});

test('no spelling means a slash or NUL', () => {
  expect(pathBytes('\\x2f\\x00\\x2e').toString()).toBe('\\x2f\\x00\\x2e');
});
