import { expect, test } from 'vitest';
import { ContentLengthReader, framed, MAX_MESSAGE_BYTES } from '../../../src/wire/content-length.ts';

const read = (...pieces: (string | Uint8Array)[]) => {
  const reader = new ContentLengthReader();
  return pieces.flatMap(piece => [...reader.push(Buffer.from(piece as string))]);
};

test('messages are the same wherever the stream is cut', () => {
  const texts = ['{"a":1}', '{"ü":"🐞"}', `"${'x'.repeat(5000)}"`];
  const stream = Buffer.concat(texts.map(framed));
  expect(read(stream)).toEqual(texts);
  expect(read(...[...stream].map(byte => Uint8Array.of(byte)))).toEqual(texts);
  for (let at = 0; at < 60; at++) expect(read(stream.subarray(0, at), stream.subarray(at))).toEqual(texts);
});

test('a header may name the content’s type, and its own fields as it likes', () => {
  expect(read('content-LENGTH:2\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{}')).toEqual(['{}']);
});

test.each([
  // What a web page could have a browser send to a port of this machine.
  ['a request of HTTP', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}'],
  ['one whose header has no end', 'GET /'],
  ['a field of HTTP', 'Content-Length: 2\r\nOrigin: null\r\n\r\n{}'],
  ['no length', 'Content-Type: application/json\r\n\r\n{}'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
  ['a length that is none', 'Content-Length: 0x10\r\n\r\n{}'],
  ['a negative one', 'Content-Length: -1\r\n\r\n{}'],
  ['nothing', 'Content-Length: 0\r\n\r\n'],
  ['more than a message may have', `Content-Length: ${MAX_MESSAGE_BYTES + 1}\r\n\r\n`],
  ['more digits than a number has', `Content-Length: ${'9'.repeat(400)}\r\n\r\n`],
  ['a header of a megabyte', `Content-Type: ${' '.repeat(1024 * 1024)}`],
  ['JSON without a header', '{"seq":1}'],
])('%s is refused', (_, text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ name: 'BadFrame' }));
  expect(() => read(...text.slice(0, 8000))).toThrow(expect.objectContaining({ name: 'BadFrame' }));
});
