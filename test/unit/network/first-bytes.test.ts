import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readClientHello } from '../../../src/network/egress/client-hello.ts';
import { FirstBytes, type Verdict } from '../../../src/network/egress/first-bytes.ts';
import { BadBody, RequestBody } from '../../../src/network/egress/request-body.ts';
import { numbersFrom } from '../../support/numbers-from.ts';

const NAME = 'good.example';
const judge = (bytes: string | Uint8Array, port = 80) => {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  return new FirstBytes(NAME, port).add(raw);
};
const why = (verdict: Verdict) => (verdict.kind === 'refused' ? verdict.reason : verdict.kind);

/** The first message of OpenSSL's, as it comes from Node.js. */
function helloTo(servername: string | undefined): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = new Duplex({ read() {}, write: bytes => resolve(bytes) });
    connect({ socket, ...(servername !== undefined && { servername }) }).on('error', () => {});
  });
}

/** It with one more extension. */
function withExtension(hello: Buffer, type: number, data: Buffer): Buffer {
  const more = Buffer.alloc(4 + data.length);
  more.writeUInt16BE(type, 0);
  more.writeUInt16BE(data.length, 2);
  data.copy(more, 4);
  const longer = Buffer.concat([hello, more]);
  longer.writeUInt16BE(hello.readUInt16BE(3) + more.length, 3);
  longer.writeUIntBE(hello.readUIntBE(6, 3) + more.length, 6, 3);
  // Behind version, random, session, ciphers and compression.
  let at = 9 + 34;
  at += 1 + hello[at]!;
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello[at]!;
  longer.writeUInt16BE(hello.readUInt16BE(at) + more.length, at);
  return longer;
}

describe('TLS', () => {
  let good: Buffer;
  let nameless: Buffer;
  beforeAll(async () => {
    [good, nameless] = await Promise.all([helloTo(NAME), helloTo(undefined)]);
  });

  test('that names the name passes as it is, on any port', () => {
    for (const port of [443, 8443]) expect(judge(good, port)).toEqual({ kind: 'passes', bytes: good });
  });

  test('in single bytes, and in records of seven bytes, is the same', () => {
    const first = new FirstBytes(NAME, 443);
    const verdicts = [...good].map(byte => first.add(Uint8Array.of(byte)));
    expect(verdicts.slice(0, -1).every(({ kind }) => kind === 'more')).toBe(true);
    expect(verdicts.at(-1)).toEqual({ kind: 'passes', bytes: good });
    const records: Buffer[] = [];
    for (let at = 5; at < good.length; at += 7) {
      const part = good.subarray(at, at + 7);
      records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
    }
    expect(why(judge(Buffer.concat(records), 443))).toBe('passes');
  });

  test('in records of a byte is read in steps that grow with its length', () => {
    const concat = vi.spyOn(Buffer, 'concat');
    const hello = Buffer.from([1, 0, 0xff, 0xff, ...Buffer.alloc(20_000)]);
    const records = Buffer.from([...hello].flatMap(byte => [22, 3, 1, 0, 1, byte]));
    expect(readClientHello(records)).toEqual({ kind: 'more' });
    const parts = concat.mock.calls.reduce((sum, [list]) => sum + list.length, 0);
    concat.mockRestore();
    expect(parts).toBeLessThan(2 * hello.length);
  });

  test('that names another, or nobody, is refused', async () => {
    for (const other of ['evil.example', `${NAME}.evil`, `x.${NAME}`, 'xgood.example'])
      expect(why(judge(await helloTo(other), 443))).toBe('other_name');
    expect(why(judge(nameless, 443))).toBe('no_name');
    expect(why(judge(nameless, 8443))).toBe('no_name');
    expect(why(judge(await helloTo('GOOD.example'), 443))).toBe('passes');
  });

  test('with a second name that only the server can read is refused', () => {
    expect(why(judge(withExtension(good, 0xfe0d, Buffer.alloc(40)), 443))).toBe('hidden_name');
  });

  test('with two names is refused, whichever comes first', () => {
    const name = (text: string, kind = 0) =>
      Buffer.concat([Buffer.from([kind, 0, text.length]), Buffer.from(text)]);
    const list = (...names: Buffer[]) => {
      const all = Buffer.concat(names);
      return Buffer.concat([Buffer.from([0, all.length]), all]);
    };
    const both = [
      withExtension(good, 0, list(name('evil.example'))),
      withExtension(nameless, 0, list(name(NAME), name('evil.example'))),
      withExtension(nameless, 0, list(name(NAME, 1))),
      withExtension(nameless, 0, list(name(`${NAME}\0.evil.example`))),
    ];
    for (const bytes of both) expect(why(judge(bytes, 443))).toBe('malformed');
    expect(why(judge(withExtension(nameless, 0, list(name(NAME))), 443))).toBe('passes');
  });

  test('is what 443 carries', () => {
    expect(why(judge('GET / HTTP/1.1\r\nHost: good.example\r\n\r\n', 443))).toBe('not_tls');
    expect(why(judge('\x80\x2e\x01\x03\x01', 443))).toBe('not_tls');
    expect(why(judge('SSH-2.0-x\r\n', 443))).toBe('not_tls');
  });

  test.each([
    ['a record without bytes', [22, 3, 1, 0, 0]],
    ['a record that is too long', [22, 3, 1, 255, 255]],
    ['another version', [22, 9, 1, 0, 5, 1]],
    ['another message', [22, 3, 1, 0, 4, 2, 0, 0, 0]],
    ['a message that is too long', [22, 3, 1, 0, 4, 1, 255, 255, 255]],
    ['a message without anything', [22, 3, 1, 0, 4, 1, 0, 0, 0]],
    ['an alert in the middle', [22, 3, 1, 0, 4, 1, 0, 0, 9, 21, 3, 1, 0, 2, 1, 0]],
  ])('%s is refused', (_, bytes) => expect(why(judge(Uint8Array.from(bytes), 443))).toBe('malformed'));

  test('whatever is changed in it never throws, and never means another name', () => {
    const random = numbersFrom(7);
    const below = (most: number) => Math.floor(random() * most);
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(good.subarray(0, 1 + below(good.length)));
      for (let changes = below(5); changes >= 0; changes--) bytes[below(bytes.length)] = below(256);
      const hello = readClientHello(bytes);
      const passes = why(judge(bytes, 443)) === 'passes';
      expect(passes).toBe(hello.kind === 'hello' && hello.name?.toLowerCase() === NAME && !hello.hidden);
    }
  });
});

describe('HTTP', () => {
  const get = (...lines: string[]) => `GET / HTTP/1.1\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`;

  test('goes on as one request on its connection', () => {
    const verdict = judge(
      get('User-Agent: x', 'Host: good.example', 'Connection: keep-alive', 'Keep-Alive: 5'),
    );
    expect(verdict).toMatchObject({ kind: 'request', upgrade: false, body: { kind: 'length', bytes: 0 } });
    const head = verdict.kind === 'request' ? Buffer.from(verdict.head).toString() : '';
    expect(head).toBe('GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: good.example\r\nConnection: close\r\n\r\n');
  });

  test('asks for no protocol whose requests name hosts of their own', () => {
    for (const lines of [
      ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
      ['Upgrade: websocket, h2c'],
      ['Upgrade: websocket', 'Upgrade: h2c'],
      [],
    ]) {
      const verdict = judge(get('Host: good.example', ...lines, 'Connection: Upgrade, HTTP2-Settings'));
      expect(verdict).toMatchObject({ kind: 'request', upgrade: false });
      const head = verdict.kind === 'request' ? Buffer.from(verdict.head).toString() : '';
      expect(head).toBe('GET / HTTP/1.1\r\nHost: good.example\r\nConnection: close\r\n\r\n');
    }
  });

  test('asks for WebSocket as it did', () => {
    const verdict = judge(get('Host: good.example', 'Upgrade: websocket', 'Connection: keep-alive, Upgrade'));
    expect(verdict).toMatchObject({ kind: 'request', upgrade: true });
    const head = verdict.kind === 'request' ? Buffer.from(verdict.head).toString() : '';
    expect(head).toContain('Connection: Upgrade\r\n');
  });

  test.each([
    ['GET / HTTP/1.1\r\nHost: good.example:80\r\n\r\n', 80],
    ['GET / HTTP/1.0\r\nhost:\tGOOD.example \r\n\r\n', 80],
    ['GET http://good.example/x HTTP/1.1\r\nHost: good.example\r\n\r\n', 80],
    ['OPTIONS * HTTP/1.1\r\nHost: good.example\r\n\r\n', 80],
    ['POST / HTTP/1.1\r\nHost: good.example:8080\r\nContent-Length: 3\r\n\r\nabc', 8080],
    ['POST / HTTP/1.1\r\nHost: good.example.\r\nTransfer-Encoding: Chunked\r\n\r\n', 80],
  ])('%j passes on %d', (text, port) => expect(why(judge(text, port))).toBe('request'));

  test.each([
    get('Host: evil.example'),
    get('Host: good.example.evil'),
    get('Host: good.example:81'),
    'GET http://good.example:81/ HTTP/1.1\r\nHost: good.example:81\r\n\r\n',
  ])('%j is for another', text => expect(why(judge(text))).toBe('other_name'));

  test.each([
    get(),
    get('Host: good.example', 'Host: evil.example'),
    get('Host: good.example', 'host: good.example'),
    get('Host: good.example@evil.example'),
    get('Host : good.example'),
    get(' Host: good.example'),
    get('X: y', ' Host: evil.example', 'Host: good.example'),
    get('Host: good.example', 'X: a\rHost: evil.example'),
    get('Host: good.example', 'X: a\nHost: evil.example'),
    get('Host: good.example', 'X: \0'),
    get('Host: good.example', 'no field'),
    get('Host: good.example', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
    get('Host: good.example', 'Content-Length: 1', 'Content-Length: 2'),
    get('Host: good.example', 'Content-Length: +1'),
    get('Host: good.example', 'Content-Length: 0x1'),
    get('Host: good.example', 'Transfer-Encoding: gzip, chunked'),
    get('Host: good.example', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    'GET http://evil.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n',
    'GET http://good.example@evil.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n',
    'GET //evil.example/ HTTP/2.0\r\nHost: good.example\r\n\r\n',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: good.example\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET  / HTTP/1.1\r\nHost: good.example\r\n\r\n',
    'GET / x HTTP/1.1\r\nHost: good.example\r\n\r\n',
    'GET / HTTP/1.1\nHost: good.example\n\n',
    '\r\nGET / HTTP/1.1\r\nHost: good.example\r\n\r\n',
    '\n\n\nGET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
  ])('%j is refused, on 80 and elsewhere', text => {
    expect(why(judge(text))).toBe('malformed');
    expect(why(judge(text, 8080))).toBe('malformed');
  });

  test('is what 80 carries; what is neither goes on elsewhere', () => {
    for (const text of [
      'SSH-2.0-OpenSSH\r\n',
      'EHLO me\r\n',
      '*1\r\n$4\r\nPING\r\n',
      '\0\0\0\x08\x04\xd2\x16\x2f',
      '{"a":1}\n',
    ]) {
      expect(why(judge(text))).toBe('not_http');
      expect(why(judge(text, 5432))).toBe('passes');
    }
  });

  test('that has not all come waits, and one that never ends is refused', () => {
    expect(why(judge('GET / HT', 8080))).toBe('more');
    expect(why(judge('\r\n', 8080))).toBe('more');
    expect(why(judge(get('Host: good.example').slice(0, -1)))).toBe('more');
    expect(why(judge(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(12_000)}`))).toBe('malformed');
    const slow = new FirstBytes(NAME, 80);
    let verdict: Verdict = { kind: 'more', bytes: new Uint8Array(0) };
    for (let i = 0; i < 70_000 && verdict.kind === 'more'; i++)
      verdict = slow.add(Buffer.from(i < 16 ? 'GET / HTTP/1.1\r\n'[i]! : 'x'));
    expect(why(verdict)).toBe('malformed');
  });

  test('that was let go on as something else is refused once it is HTTP', () => {
    const first = new FirstBytes(NAME, 8080);
    expect(why(first.add(Buffer.from('GET / ')))).toBe('more');
    expect(first.holds).toBe(true);
    expect(Buffer.from(first.release()).toString()).toBe('GET / ');
    expect(first.add(Buffer.from('HTT'))).toEqual({ kind: 'more', bytes: Buffer.from('HTT') });
    expect(why(first.add(Buffer.from('P/1.1\r\n')))).toBe('malformed');
    const other = new FirstBytes(NAME, 8080);
    other.add(Buffer.from('hello '));
    other.release();
    expect(other.add(Buffer.from('there\n'))).toEqual({ kind: 'passes', bytes: Buffer.from('there\n') });
  });

  test('whatever is changed in it never throws, and never goes on with another host', () => {
    const random = numbersFrom(11);
    const below = (most: number) => Math.floor(random() * most);
    const base = Buffer.from(
      get('Host: good.example', 'Content-Length: 5', 'X: http://evil.example/', 'Connection: a'),
    );
    const interesting = Buffer.from('\r\n\0 :\t,;/@evil.exampleHost');
    for (let round = 0; round < 4000; round++) {
      const bytes = Buffer.from(base);
      for (let changes = below(4); changes >= 0; changes--)
        bytes[below(bytes.length)] = interesting[below(interesting.length)]!;
      const verdict = judge(bytes);
      if (verdict.kind !== 'request') continue;
      const head = Buffer.from(verdict.head).toString('latin1');
      expect(head.match(/^host:/gim)).toHaveLength(1);
      expect(/^host:[ \t]*good\.example(:80)?[ \t]*\r$/im.test(head), head).toBe(true);
    }
  });
});

describe('a body', () => {
  const bodyOf = (text: string, kind: 'chunked' | number) => {
    const body = new RequestBody(kind === 'chunked' ? { kind } : { kind: 'length', bytes: kind });
    const taken = [...text].map(letter => (body.over ? 0 : body.take(Buffer.from(letter, 'latin1'))));
    const sum = taken.reduce((all, each) => all + each, 0);
    const whole = new RequestBody(kind === 'chunked' ? { kind } : { kind: 'length', bytes: kind });
    // In one piece it is the same as in single bytes.
    expect(whole.over ? 0 : whole.take(Buffer.from(text, 'latin1'))).toBe(sum);
    return { passed: text.slice(0, sum), over: body.over };
  };

  test('of a length ends with it', () => {
    expect(bodyOf('abcdeGET /', 5)).toEqual({ passed: 'abcde', over: true });
    expect(bodyOf('GET / HTTP/1.1', 0)).toEqual({ passed: '', over: true });
    expect(bodyOf('abc', 5)).toEqual({ passed: 'abc', over: false });
  });

  test('of chunks ends with the last, its trailer included', () => {
    const chunks = '3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n';
    expect(bodyOf(`${chunks}GET / HTTP/1.1`, 'chunked')).toEqual({ passed: chunks, over: true });
  });

  test.each([
    'xyz\r\n',
    '-1\r\n',
    '3\nabc',
    '3\r\nabcd\r\n',
    '1\r\nab',
    '0x3\r\n',
    '3 \rx\r\n',
    '\r\n',
    '1234567890123\r\n',
    'f'.repeat(5000),
  ])('of chunks that are none, %j, is refused', text => {
    const body = new RequestBody({ kind: 'chunked' });
    expect(() => body.take(Buffer.from(`${text}\r\n\r\n`))).toThrow(BadBody);
  });
});
