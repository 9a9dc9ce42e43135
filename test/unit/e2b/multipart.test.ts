import { describe, expect, it } from 'vitest';
import { boundaryIn, partsOf } from '../../../routes/e2b/multipart.ts';

const part = (disposition: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: text/plain\r\n\r\n${content}\r\n`;

/** The parts of a body that comes in pieces of so many bytes. */
async function read(body: string | Buffer, pieceBytes = 7) {
  const bytes = Buffer.from(body as string);
  async function* pieces() {
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const parts: [string, string | undefined, string][] = [];
  for await (const { name, fileName, content } of partsOf(pieces(), 'b')) {
    let text = '';
    for await (const piece of content) text += piece.toString('latin1');
    parts.push([name, fileName, text]);
  }
  return parts;
}

describe('a form', () => {
  const body = `preamble\r\n${part('name="file"; filename="/tmp/a %22b%22.txt"', '1\r\n-b\r\n--\r\n2')}${part('name=x', '')}--b--\r\nepilogue`;

  it('has the same parts in whatever pieces it comes', async () => {
    const expected = [
      ['file', '/tmp/a "b".txt', '1\r\n-b\r\n--\r\n2'],
      ['x', undefined, ''],
    ];
    for (let bytes = 1; bytes < 40; bytes++) expect(await read(body, bytes)).toEqual(expected);
    expect(await read(body, 100_000)).toEqual(expected);
  });

  it('may be empty', async () => {
    expect(await read('--b--\r\n')).toEqual([]);
  });

  it.each([
    ['ends early', part('name="file"', 'x'), /before its last boundary/],
    ['has no boundary', 'hello', /before its last boundary/],
    ['has something behind a boundary', '--bx\r\n', /not as multipart/],
    ['has a part without a name', `${part('filename="x"', '')}--b--`, /no name/],
    ['has endless headers', `--b\r\n${'x'.repeat(100_000)}`, /headers of a part are too long/],
    ['has very many parts', part('name=x', '').repeat(1001), /at most 1000 parts/],
  ])('that %s is refused', async (_, bad, why) => {
    await expect(read(bad, 1000)).rejects.toThrow(why);
  });

  it('names its boundary', () => {
    expect(boundaryIn('multipart/form-data; charset=x; boundary="a b"')).toBe('a b');
    expect(boundaryIn('multipart/form-data; boundary=----x')).toBe('----x');
    expect(() => boundaryIn('multipart/form-data')).toThrow(/no boundary/);
  });
});
