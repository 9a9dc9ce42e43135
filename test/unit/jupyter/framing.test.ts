import { describe, expect, it } from 'vitest';
import { json, v1 } from '../../../routes/jupyter/framing.ts';

const header = { msg_id: 'one', msg_type: 'execute_request', session: 's' };
const content = { code: 'print("é")' };
const parts = {
  channel: 'shell',
  id: 'one',
  type: 'execute_request',
  header: JSON.stringify(header),
  parent: '{}',
  metadata: '{}',
  content: JSON.stringify(content),
};
const message = { channel: 'shell', type: 'execute_request', header: JSON.stringify(header), content };

/** A table of offsets, and what lies behind it. */
function binary(numbers: readonly (number | bigint)[], rest = ''): Buffer {
  const table = Buffer.alloc(8 * numbers.length);
  for (const [i, number] of numbers.entries()) table.writeBigUInt64LE(BigInt(number), 8 * i);
  return Buffer.concat([table, Buffer.from(rest)]);
}

describe('the binary framing', () => {
  it('has the offsets that clients read, and reads what it writes', () => {
    const data = v1.encode(parts) as Buffer;
    expect(Number(data.readBigUInt64LE(0))).toBe(6);
    expect(Number(data.readBigUInt64LE(8))).toBe(0x38);
    expect(Number(data.readBigUInt64LE(16))).toBe(0x3d);
    expect(Number(data.readBigUInt64LE(48))).toBe(data.length);
    expect(v1.decode(data, true)).toEqual(message);
  });

  it.each<[string, Buffer, RegExp]>([
    ['nothing', Buffer.alloc(0), /too short/],
    ['half a table', binary([6, 56]), /too short/],
    ['too few offsets', binary([5, 48, 48, 48, 48, 48]), /6 to 64 offsets/],
    ['more offsets than there is memory', binary([2n ** 63n]), /6 to 64 offsets/],
    ['offsets that fall', binary([6, 56, 61, 60, 61, 61, 61], 'shell'), /offsets must rise/],
    ['an offset in the table', binary([6, 8, 61, 61, 61, 61, 61], 'shell'), /offsets must rise/],
    ['an offset behind the end', binary([6, 56, 61, 61, 61, 61, 62], 'shell'), /offsets must rise/],
    ['no JSON', binary([6, 56, 61, 62, 62, 62, 63], 'shell{}'), /not JSON/],
  ])('refuses %s', (_, data, words) => {
    expect(() => v1.decode(data, true)).toThrow(words);
  });

  it('refuses text', () => {
    expect(() => v1.decode(Buffer.from('{}'), false)).toThrow(/is binary/);
  });
});

describe('the framing as JSON', () => {
  it('reads what it writes, for clients that look at either name of a type', () => {
    const text = json.encode(parts) as string;
    expect(JSON.parse(text)).toMatchObject({ msg_id: 'one', msg_type: 'execute_request', channel: 'shell' });
    expect(json.decode(Buffer.from(text), false)).toEqual(message);
  });

  it('keeps no code that is longer than any may be', () => {
    const long = { header, content: { code: 'x'.repeat(100_001), silent: true } };
    const read = json.decode(Buffer.from(JSON.stringify(long)), false);
    expect(read.content).toEqual({ code: null, silent: true });
  });

  it('takes a message without a channel for the shell', () => {
    expect(json.decode(Buffer.from(JSON.stringify({ header, content })), false)).toEqual(message);
  });

  it('reads one with buffers, and leaves these', () => {
    const text = Buffer.from(JSON.stringify({ header, content, channel: 'shell' }));
    const table = Buffer.alloc(12);
    table.writeUInt32BE(2, 0);
    table.writeUInt32BE(12, 4);
    table.writeUInt32BE(12 + text.length, 8);
    expect(json.decode(Buffer.concat([table, text, Buffer.from('xyz')]), true)).toEqual(message);
  });

  it.each<[string, object, RegExp]>([
    ['no header', { content }, /header must be an object/],
    ['a header without a type', { header: { msg_id: 'one' } }, /header.msg_type must be a string/],
    [
      'a long id',
      { header: { ...header, msg_id: 'x'.repeat(257) } },
      /header.msg_id must be a string of 1 to 256/,
    ],
    [
      'a header that would come back a thousand times',
      { header: { ...header, x: 'x'.repeat(5000) } },
      /over 4096/,
    ],
    ['a channel that is none', { header, channel: 'heartbeat' }, /channel must be/],
    ['a list', [], /a JSON object/],
  ])('refuses %s', (_, value, words) => {
    expect(() => json.decode(Buffer.from(JSON.stringify(value)), false)).toThrow(words);
  });
});
