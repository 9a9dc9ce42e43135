import { expect, it } from 'vitest';
import { asciiText } from '../../../routes/e2b/ascii-text.ts';
import { resultLine } from '../../../routes/e2b/result-line.ts';

/** What a program may have made long, to keep the service busy. */

it.each(['', 'plain', '\u007f\u0080ÿ', '\u2028\uffff', 'a🙂b', '\ud83d'.repeat(3)])(
  'the text %j is the same as ASCII',
  text => {
    const bytes = asciiText(JSON.stringify(text));
    expect(bytes.every(byte => byte <= 0x7f)).toBe(true);
    expect(JSON.parse(bytes.toString('latin1'))).toBe(text);
  },
);

it.each([
  ['flat', 99_999, (values: number) => Array(values).fill(1)],
  ['a list of lists', 33_333, (lists: number) => Array.from({ length: lists }, () => [1, 2])],
  ['an object', 99_999, (values: number) => Object.fromEntries(Array(values).fill('x').entries())],
])('a chart is left out where it has over 100,000 values: %s', (_form, most, chart) => {
  const line = (parts: number) => resultLine({ 'text/plain': 'a', 'e2b/chart': chart(parts) }, true);
  expect(Object.keys(line(most))).toEqual(['type', 'text', 'chart', 'is_main_result']);
  expect(Object.keys(line(most + 1))).toEqual(['type', 'text', 'is_main_result']);
});
