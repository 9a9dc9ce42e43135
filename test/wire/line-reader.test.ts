import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { LineReader } from '../../src/wire/line-reader.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** Without garbage, which would be of all that this process has tested so far. */
const heldBytes = () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const bytes = (text: string) => Buffer.from(text, 'utf8');

describe('the line reader', () => {
  it.each([1, 2, 3, 7, 100])('cuts the same lines from chunks of %i bytes', size => {
    const text = bytes('first\n\nthe third: é😀\nnever ended');
    const reader = new LineReader(100);
    const lines = [];
    for (let at = 0; at < text.byteLength; at += size)
      lines.push(...reader.push(text.subarray(at, at + size)));
    expect(lines).toEqual(['first', '', 'the third: é😀']);
  });

  it('takes a line of exactly its size and throws at a longer one, ended or not', () => {
    expect(new LineReader(4).push(bytes('1234\n12\n'))).toEqual(['1234', '12']);
    expect(() => new LineReader(4).push(bytes('12345\n'))).toThrow('over 4 bytes');
    const reader = new LineReader(4);
    reader.push(bytes('123'));
    expect(() => reader.push(bytes('45'))).toThrow('over 4 bytes');
  });

  it('holds a line that comes byte by byte in little more than its size', () => {
    const reader = new LineReader(4 * 1024 * 1024);
    const byte = bytes('x');
    const before = heldBytes();
    for (let i = 0; i < 1024 * 1024; i++) reader.push(byte);
    expect(heldBytes() - before).toBeLessThan(32 * 1024 * 1024);
    // It is held until here.
    expect(reader.push(bytes('\n'))[0]).toHaveLength(1024 * 1024);
  });
});
