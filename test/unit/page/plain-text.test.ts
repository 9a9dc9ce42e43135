import { describe, expect, test } from 'vitest';
import { continued, PlainText } from '../../../routes/page/app/plain-text.ts';

const ESC = '\x1b';
const read = (...pieces: string[]) => {
  const plain = new PlainText();
  return pieces.map(piece => plain.take(piece)).join('') + plain.end();
};

describe('what a program prints', () => {
  test.each([
    ['plain', `a\tb\nc`, `a\tb\nc`],
    ['colours', `${ESC}[1;31mred${ESC}[0m`, 'red'],
    ['a title', `${ESC}]0;owned${'\x07'}x`, 'x'],
    ['a link', `${ESC}]8;;javascript:alert(1)${ESC}\\text${ESC}]8;;${ESC}\\`, 'text'],
    ['the clipboard', `${ESC}]52;c;aGk=${'\x07'}x`, 'x'],
    ['a reset', `${ESC}cx`, 'x'],
    ['lines of Windows', 'a\r\nb', 'a\nb'],
    ['other control characters', 'a\0b\x08c\x7f', 'a␀b␈c␡'],
    ['markup', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ])('%s', (_, printed, shown) => {
    expect(read(printed)).toBe(shown);
    expect(read(...printed)).toBe(shown);
  });

  test('is shown when a sequence never ends', () => {
    expect(read(`a${ESC}[3`)).toBe('a␛[3');
    const long = `${ESC}]0;${'x'.repeat(5000)}`;
    expect(read(long)).toBe(`␛]0;${'x'.repeat(5000)}`);
    expect(read(...long).replaceAll('x', '')).toBe('␛]0;');
  });
});

describe('a carriage return', () => {
  test.each([
    ['', '10%\r20%\r30%', '30%'],
    ['done\n10%', '\r20%', 'done\n20%'],
    ['10%', ' more\nnext\rlast', '10% more\nlast'],
    ['a\n', 'b', 'a\nb'],
    ['a', '', 'a'],
  ])('after %j, %j is %j', (before, more, all) => {
    expect(continued(before, more)).toBe(all);
  });
});
