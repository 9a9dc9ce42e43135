import { describe, expect, test } from 'vitest';
import { answerQuestion } from '../../../src/network/egress/answer-question.ts';
import { readQuery } from '../../../src/network/egress/dns-message.ts';
import { FakeNames, MAX_NAMES } from '../../../src/network/egress/fake-names.ts';
import { Policy } from '../../../src/network-rules/policy.ts';
import { numbersFrom } from '../../support/numbers-from.ts';

const CEILING = { allow: ['*:1-65535'], deny: [], private: [] };
const TYPE = { A: 1, PTR: 12, AAAA: 28, HTTPS: 65 };

/** A question as a resolver sends it. */
function question(
  name: string,
  type: number = TYPE.A,
  { kind = 1, flags = 0x0100, more = Buffer.alloc(0) } = {},
) {
  const labels = name.split('.').filter(Boolean);
  const encoded = labels.map(label => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0xbeef, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(kind, 2);
  return Buffer.concat([header, ...encoded, Buffer.of(0), tail, more]);
}

function ask(bytes: Uint8Array, names = new FakeNames()) {
  const policy = new Policy({ allow: ['*.example', 'one.test:5432'], deny: ['no.example'] }, CEILING);
  const answered = answerQuestion(bytes, policy, names);
  if (!answered) return null;
  const answer = Buffer.from(answered.bytes);
  return {
    id: answer.readUInt16BE(0),
    code: answer[3]! & 15,
    records: answer.readUInt16BE(6),
    data: answer.readUInt16BE(6) ? answer.subarray(-4).join('.') : null,
    denied: answered.denied,
    bytes: answer,
  };
}

describe('a question for a name', () => {
  test('that is allowed is answered with an address that stands for it, always the same', () => {
    const names = new FakeNames();
    expect(ask(question('a.example'), names)).toMatchObject({
      id: 0xbeef,
      code: 0,
      data: '127.64.0.1',
      denied: null,
    });
    expect(ask(question('one.test'), names)).toMatchObject({ data: '127.64.0.2' });
    expect(ask(question('A.eXample'), names)).toMatchObject({ data: '127.64.0.1' });
    expect(names.nameOf(0x7f40_0002)).toBe('one.test');
  });

  test('comes back as it was spelt, so that a resolver which mixes cases takes it', () => {
    const asked = question('MiXed.Example');
    expect(ask(asked)!.bytes.subarray(12, asked.length).equals(asked.subarray(12))).toBe(true);
  });

  test.each(['no.example', 'example', 'other.test', 'example.com', 'a.example.evil.com', ''])(
    'such as %j is not there, and that is told',
    name => expect(ask(question(name))).toMatchObject({ code: 3, records: 0, denied: name || null }),
  );

  test('of another family has no answer, and what is denied is told once', () => {
    for (const type of [TYPE.AAAA, TYPE.HTTPS, 255, 16])
      expect(ask(question('a.example', type))).toMatchObject({ code: 0, records: 0, denied: null });
    expect(ask(question('other.test', TYPE.AAAA))).toMatchObject({ code: 3, denied: null });
  });

  test('backwards finds the name', () => {
    const names = new FakeNames();
    names.addressOf('a.example');
    const found = ask(question('1.0.64.127.in-addr.arpa', TYPE.PTR), names)!;
    expect(found.bytes.includes(Buffer.from('\x01a\x07example\0', 'latin1'))).toBe(true);
    expect(ask(question('1.0.0.10.in-addr.arpa', TYPE.PTR), names)).toMatchObject({ code: 3, denied: null });
    expect(ask(question('2.0.64.127.in-addr.arpa', TYPE.PTR), names)).toMatchObject({ code: 3 });
  });

  test.each([
    [
      'labels with dots, spaces or bytes',
      Buffer.concat([
        question('x').subarray(0, 12),
        Buffer.from('\x03a.b\x07example\0\0\x01\0\x01', 'latin1'),
      ]),
      3,
    ],
    ['another class', question('a.example', 1, { kind: 3 }), 5],
    ['another kind of question', question('a.example', 1, { flags: 0x2900 }), 4],
    [
      'options behind it',
      question('a.example', 1, { more: Buffer.from([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]) }),
      0,
    ],
  ])('%s', (_, bytes, code) => expect(ask(bytes)).toMatchObject({ code }));

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(11)],
    ['an answer', question('a.example', 1, { flags: 0x8180 })],
    ['no question', Buffer.alloc(12)],
    ['a pointer', Buffer.concat([question('x').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])],
    ['a label that is cut', question('a.example').subarray(0, 15)],
    ['no type', question('a.example').subarray(0, -3)],
    ['a name that is too long', question(new Array(70).fill('abcd').join('.'))],
  ])('%s has no answer', (_, bytes) => expect(ask(bytes)).toBeNull());

  test('of one sandbox too many fails, and those that have an address keep it', () => {
    const names = new FakeNames();
    for (let i = 0; i < MAX_NAMES; i++) names.addressOf(`${i}.example`);
    expect(ask(question('one.more.example'), names)).toMatchObject({ code: 2 });
    expect(ask(question('7.example'), names)).toMatchObject({ code: 0, data: '127.64.0.8' });
  });
});

test('any bytes at all are read or refused, and never more than they are', () => {
  const random = numbersFrom(20_260_101);
  const below = (most: number) => Math.floor(random() * most);
  const base = question('some.name.example', 1, { more: Buffer.alloc(11) });
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(base.subarray(0, 1 + below(base.length)));
    for (let changes = below(4); changes >= 0; changes--) bytes[below(bytes.length)] = below(256);
    const query = readQuery(bytes);
    if (query) expect(query.question.length).toBeLessThanOrEqual(bytes.length - 12);
    ask(bytes);
  }
});
