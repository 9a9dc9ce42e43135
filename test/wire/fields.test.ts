import { expect, test } from 'vitest';
import { FieldReader, FieldWriter } from '../../src/wire/fields.ts';

test('what is written is read again', () => {
  const long = 'é'.repeat(5000);
  const fields = new FieldWriter(1)
    .u8(200)
    .u32(-1)
    .u64(2 ** 40)
    .texts(['', long]).bytes;
  const reader = new FieldReader(fields);
  expect([reader.u8(), reader.i32(), reader.u64(), reader.u32(), reader.text(), reader.text()]).toEqual([
    200,
    -1,
    2 ** 40,
    2,
    '',
    long,
  ]);
  reader.end();
});

test('a payload that is shorter or longer than what is read from it is refused', () => {
  const read = (bytes: number[]) => new FieldReader(Uint8Array.from(bytes));
  expect(() => read([]).u8()).toThrow();
  expect(() => read([1, 0, 0]).u32()).toThrow();
  expect(() => read([9, 0, 0, 0, 65]).text()).toThrow();
  expect(() => read([255, 255, 255, 255]).text()).toThrow();
  expect(() => read([1]).end()).toThrow();
});

test('a text that is not UTF-8 has replacement characters', () => {
  expect(new FieldReader(Uint8Array.from([2, 0, 0, 0, 65, 255])).text()).toBe('A\ufffd');
});
