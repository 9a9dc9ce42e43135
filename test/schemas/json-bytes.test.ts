import { expect, test } from 'vitest';
import { isPlain, jsonBytes, jsonBytesOfUtf8 } from '../../src/schemas/json-bytes.ts';

const written = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

test('a text is weighed as JSON.stringify writes it', () => {
  // Every single UTF-16 unit, then pairs around the surrogates.
  for (let code = 0; code < 0x1_0000; code++) {
    const text = String.fromCharCode(code);
    if (jsonBytes(text) !== written(text)) expect([code, jsonBytes(text)]).toEqual([code, written(text)]);
  }
  const units = ['a', '\u0001', '"', '\ud7ff', '\ud800', '\udbff', '\udc00', '\udfff', '\ue000'];
  const texts = units.flatMap(a => units.flatMap(b => units.map(c => a + b + c)));
  expect(texts.map(jsonBytes)).toEqual(texts.map(written));
});

test('UTF-8 is weighed as the text it is', () => {
  const text = `${Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).join('')}😀`;
  expect(jsonBytesOfUtf8(Buffer.from(text))).toBe(written(text));
});

test('a text is plain where none of its characters takes more than twice its bytes', () => {
  for (let code = 0; code < 0xd800; code++) {
    const character = String.fromCharCode(code);
    const plain = written(character) <= 2 * Buffer.byteLength(character);
    if (isPlain(`a${character}b`) !== plain) expect(code).toBe(plain);
  }
});
