import { describe, expect, it } from 'vitest';
import { unmask } from '../../../plugins/fast-masking.ts';
import { readMessage } from '../../../src/rpc/envelope.ts';
import { encodeLarge } from '../../../src/rpc/large-answer.ts';
import { parseLarge } from '../../../src/rpc/large-message.ts';
import { hasControl } from '../../../src/schemas/byte-scans.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';
import { LongText } from '../../../src/schemas/long-text.ts';

const LONG = 'x'.repeat(70_000);
/** What a long string may hold: nothing special, and each thing that is, at its ends and within. */
const TEXTS = [
  '',
  '"',
  '\\',
  '\\"',
  '\n',
  '\u0000',
  '\u001b',
  '\u007f',
  'é',
  '日',
  '😀',
  '\u2028',
  '\ud800',
  '\udc00',
]
  .flatMap(each => [each + LONG, LONG + each, LONG + each + LONG])
  .concat(
    LONG.replaceAll('xxxxxxx', '"quoted"\t\\\r\n'),
    '\\'.repeat(70_001),
    '"'.repeat(70_000),
    '\b\f\u0000\u001f'.repeat(20_000),
  );

describe('a message with long strings', () => {
  it.each([
    [
      'in a request',
      (text: string) => ({ jsonrpc: '2.0', id: 1, method: 'm', params: { a: text, b: ['c', text] } }),
    ],
    [
      'in a batch',
      (text: string) => [
        { id: 'a', params: [text] },
        { id: 'b', params: { text } },
      ],
    ],
    ['alone', (text: string) => text],
    ['as a name', (text: string) => ({ [text]: 1, a: text })],
    ['of an own __proto__', (text: string) => JSON.parse(`{"__proto__":${JSON.stringify(text)},"a":1}`)],
    ['as an id', (text: string) => ({ id: text })],
  ])('is read as JSON.parse reads it: %s', (_, of) => {
    for (const text of TEXTS) {
      const value = of(text);
      const expected = `[${JSON.stringify(value)}]`;
      for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
        expect(JSON.stringify(readMessage(Buffer.from(json))) === expected).toBe(true);
      }
    }
  });

  it('is read apart from the rest of it, which JSON.parse would take long for', () => {
    const request = { id: 1, params: { content: TEXTS.at(-1), name: 'é' } };
    expect(parseLarge(Buffer.from(JSON.stringify(request)))).toEqual({ value: request, keeps: false });
  });

  it('that writes a file keeps its bytes, unless they are escaped, or base64, or somebody else’s', () => {
    const content = `é${LONG}`;
    const kept = (method: string, command: object) => {
      const [read] = readMessage(Buffer.from(JSON.stringify({ method, params: { command } }))) as [
        { params: { command: { content: unknown } } },
      ];
      const { content: own } = read.params.command;
      expect(JSON.stringify(read)).toBe(JSON.stringify({ method, params: { command } }));
      return own instanceof LongText;
    };
    expect(kept('session.execute', { type: 'write_file', path: 'a', content })).toBe(true);
    expect(kept('session.execute', { type: 'write_file', path: 'a', content, encoding: 'utf8' })).toBe(true);
    expect(kept('session.execute', { type: 'write_file', content: `${content}\n` })).toBe(false);
    expect(kept('session.execute', { type: 'write_file', content: LONG, encoding: 'base64' })).toBe(false);
    expect(kept('session.execute', { type: 'write_file', path: content, content })).toBe(false);
    expect(kept('session.execute', { type: 'execute_code', content })).toBe(false);
    expect(kept('session.create', { type: 'write_file', content })).toBe(false);
  });

  it.each([
    ['a control character in it', `{"a":"${LONG}\n"}`],
    ['another', `{"a":"\u0001${LONG}"}`],
    ['an escape that there is not', `{"a":"${LONG}\\x"}`],
    ['half an escape', `{"a":"${LONG}\\u12"}`],
    ['no end', `{"a":"${LONG}`],
    ['an end that is escaped', `{"a":"${LONG}\\"}`],
    ['something behind it', `{"a":"${LONG}"x}`],
    ['something behind all', `{"a":"${LONG}"}}`],
    ['a name without a value', `{"${LONG}"}`],
    ['a backslash before it', `{"a":\\"${LONG}"}`],
    [
      'a nesting that is too deep',
      `${'['.repeat(LIMITS.jsonDepth + 1)}"${LONG}"${']'.repeat(LIMITS.jsonDepth + 1)}`,
    ],
  ])('is no JSON with %s', (_, text) => {
    expect(readMessage(Buffer.from(text))).toBeNull();
    expect(readMessage(text)).toBeNull();
  });

  it('is read as usual where too much else is in it', () => {
    const space = ' '.repeat(300_000);
    for (const text of [
      `{"${LONG}"${space}:1}`,
      `{"a":"${LONG}"${space}}`,
      `{"a":"${LONG}","b":[${'"",'.repeat(1000)}1]}`,
    ]) {
      expect(parseLarge(Buffer.from(text))).toBeNull();
      expect(readMessage(Buffer.from(text))).toEqual([JSON.parse(text)]);
    }
  });

  it('is lines of JSON where each is one', () => {
    const line = JSON.stringify({ id: 1, params: { LONG } });
    expect(readMessage(Buffer.from(`${line}\n${line}\n`))).toEqual([JSON.parse(line), JSON.parse(line)]);
  });

  it('keeps an id that a double does not hold, and no number in the text counts as one', () => {
    const [read] = readMessage(
      Buffer.from(`{"id":12345678901234567890123,"method":"ping","params":{"a":"${LONG}: 1e5"}}`),
    ) as [{ id: unknown }];
    expect(JSON.stringify(read.id)).toBe('12345678901234567890123');
  });
});

describe('an answer with long strings', () => {
  it('is what JSON.stringify writes', () => {
    for (const text of TEXTS) {
      const result = {
        type: 'read_file',
        id: undefined,
        result: { content: text, more: [text], é: text, n: null },
      };
      for (const response of [
        { jsonrpc: '2.0' as const, id: 1, result },
        { jsonrpc: '2.0' as const, id: JSON.rawJSON('10000000000000000000001') as never, result: text },
      ]) {
        const large = encodeLarge(response);
        expect(large === null).toBe(JSON.stringify(text).length > text.length + 2);
        if (large) expect(large.equals(Buffer.from(JSON.stringify(response)))).toBe(true);
      }
    }
  });

  it('writes those that have stayed bytes, once', () => {
    const answer = (content: unknown) => ({
      jsonrpc: '2.0' as const,
      id: 1,
      result: { result: { content } },
    });
    const utf8 = Buffer.from(`é${LONG}`);
    const long = LongText.of(utf8)!;
    expect(JSON.stringify(answer(long))).toBe(JSON.stringify(answer(`é${LONG}`)));
    expect(String(encodeLarge(answer(long)))).toBe(JSON.stringify(answer(`é${LONG}`)));
    // Its memory has been given back.
    expect(utf8.length).toBe(0);
    for (const text of ['short', `${LONG}\n`, `"${LONG}`, `${LONG}\\`])
      expect(LongText.of(Buffer.from(text))).toBeNull();
  });

  it.each([
    ['short ones', { a: 'text' }],
    ['an array of them', [LONG]],
    ['something that writes itself', { a: { text: LONG, toJSON: () => 1 }, date: new Date(0) }],
  ])('is not one with %s', (_, result) => {
    const response = { jsonrpc: '2.0' as const, id: 1, result };
    const large = encodeLarge(response);
    expect(large?.toString() ?? JSON.stringify(response)).toBe(JSON.stringify(response));
  });
});

describe('bytes', () => {
  const BYTES = [0, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff];

  it.each(BYTES)('are found wherever they lie: %i', byte => {
    for (let start = 0; start < 4; start++)
      for (const length of [1, 2, 3, 4, 7, 16, 19, 37])
        for (let at = 0; at < length; at++) {
          const bytes = new Uint8Array(start + length + 4).subarray(start, start + length).fill(0x61);
          bytes[at] = byte;
          expect(hasControl(bytes)).toBe(byte < 0x20);
        }
  });

  it('are masked as RFC 6455 says, wherever they lie', () => {
    const mask = Uint8Array.of(1, 0x80, 0xff, 0x3c);
    for (let start = 0; start < 5; start++)
      for (const length of [...Array(20).keys(), 512, 517]) {
        const all = Uint8Array.from({ length: 530 }, (_, i) => 11 * i);
        const expected = all.map((byte, i) =>
          i < start || i >= start + length ? byte : byte ^ mask[(i - start) % 4]!,
        );
        unmask(all.subarray(start, start + length), mask);
        expect(all).toEqual(expected);
      }
  });
});
