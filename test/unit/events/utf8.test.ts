import { describe, expect, it } from 'vitest';
import { Utf8Splitter } from '../../../src/service/events/utf8.ts';
import { KeptOutput } from '../../../src/service/supervision/kept-output.ts';

/** Feeds bytes in chunks of `size` and joins what comes out. */
function pieces(bytes: Uint8Array, size: number) {
  const splitter = new Utf8Splitter();
  const out = [];
  for (let i = 0; i < bytes.byteLength; i += size) out.push(splitter.push(bytes.slice(i, i + size)));
  out.push(splitter.end());
  return out.filter(piece => piece !== null);
}

describe('the UTF-8 splitter', () => {
  it.each([1, 2, 3, 5, 7])('cuts no character in chunks of %i bytes', size => {
    const text = 'aé€😀\u0000z'.repeat(20);
    const out = pieces(Buffer.from(text), size);
    expect(out.every(piece => 'text' in piece)).toBe(true);
    expect(out.map(piece => ('text' in piece ? piece.text : '')).join('')).toBe(text);
  });

  it('gives bytes that are not UTF-8 as base64, and loses none', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const out = pieces(bytes, 256);
    const joined = Buffer.concat(
      out.map(piece => ('data' in piece ? Buffer.from(piece.data, 'base64') : Buffer.from(piece.text))),
    );
    expect(joined).toEqual(Buffer.from(bytes));
    expect(out.some(piece => 'data' in piece)).toBe(true);
  });

  it('gives a character that never came whole as bytes at the end', () => {
    expect(pieces(Uint8Array.of(0x61, 0xe2, 0x82), 10)).toEqual([{ text: 'a' }, { data: '4oI=' }]);
  });
});

describe('kept output', () => {
  it('keeps the first bytes, counts on, and cuts no character', () => {
    const kept = new KeptOutput(4);
    kept.add(Buffer.from('abc€de'));
    kept.add(Buffer.from('more'));
    expect(kept.content().toString()).toBe('abc');
    expect(kept.truncated).toBe(true);
    expect(kept.bytes).toBe(12);
  });

  it('is not truncated by exactly what fits', () => {
    const kept = new KeptOutput(3);
    kept.add(Buffer.from('€'));
    expect([kept.content().toString(), kept.truncated]).toEqual(['€', false]);
  });
});
