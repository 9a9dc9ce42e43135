import { expect, test } from 'vitest';
import { headersForPort, headersOfPort } from '../../../plugins/port-headers.ts';

/** What of a request a program of a sandbox gets, and what of its answer a client does. */
const HOST = '8000-0123.localhost:5039';
const base = {
  method: 'GET',
  port: 8000,
  upgrade: false,
  isKey: (value: string) => /(^|\s)key-1$/.test(value),
};
const asked = (rawHeaders: string[], more: Partial<typeof base> = {}) => {
  const flat = headersForPort({ ...base, ...more, rawHeaders: ['Host', HOST, ...rawHeaders] });
  return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${flat[i + 1]}`] : []));
};
const FORWARDED = ['Host: localhost:8000', `X-Forwarded-Host: ${HOST}`, 'X-Forwarded-Proto: http'];

test('a program is asked by the name that it knows itself by', () => {
  expect(asked(['Accept', '*/*'])).toEqual(['Accept: */*', ...FORWARDED, 'Connection: close']);
});

test.each([
  ['Authorization', 'Bearer key-1'],
  ['authorization', 'token  key-1'],
  ['X-API-Key', 'key-1'],
  ['X-Auth-Token', 'key-1'],
  ['X-Elsewhere', 'key-1'],
  ['X-CodeBeaker-Port-Token', 'abc'],
  ['X-Forwarded-For', '203.0.113.7'],
  ['Forwarded', 'for=203.0.113.7'],
  ['Proxy-Authorization', 'Basic abc'],
  ['Expect', '100-continue'],
  ['TE', 'trailers'],
  ['Keep-Alive', 'timeout=5'],
])('%s: %s does not reach it', (name, value) => {
  expect(asked([name, value])).toEqual([...FORWARDED, 'Connection: close']);
});

test('what a program’s own clients send reaches it: its keys, cookies and origins elsewhere', () => {
  const own = ['Authorization', 'Bearer other', 'Cookie', 'a=1', 'Origin', 'https://elsewhere.example'];
  expect(asked(own).slice(0, 3)).toEqual([
    'Authorization: Bearer other',
    'Cookie: a=1',
    'Origin: https://elsewhere.example',
  ]);
});

test('its own origin is told as the one it knows', () => {
  expect(asked(['Origin', `http://${HOST}`])[0]).toBe('Origin: http://localhost:8000');
});

test('headers that a connection names are its own', () => {
  expect(asked(['Connection', 'X-One, close', 'X-One', '1', 'X-Two', '2'])).toEqual([
    'X-Two: 2',
    ...FORWARDED,
    'Connection: close',
  ]);
});

test('a body is framed once, in one way', () => {
  const framing = (rawHeaders: string[], method: string) =>
    asked(rawHeaders, { method }).filter(line => /^(content-length|transfer-encoding)/i.test(line));
  expect(framing(['Content-Length', '5'], 'POST')).toEqual(['Content-Length: 5']);
  expect(framing(['Transfer-Encoding', 'gzip, chunked'], 'POST')).toEqual(['Transfer-Encoding: chunked']);
  expect(framing([], 'POST')).toEqual(['Content-Length: 0']);
  expect(framing([], 'GET')).toEqual([]);
});

test('another protocol is asked for in the program’s words, and in no others', () => {
  const lines = asked(['Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket'], { upgrade: true });
  expect(lines).toEqual([...FORWARDED, 'Connection: Upgrade', 'Upgrade: websocket']);
});

test('an answer is for its own origin alone', () => {
  const raw = [
    'Content-Type',
    'text/html',
    'Set-Cookie',
    'a=1; Domain=.localhost; Path=/',
    'set-cookie',
    'b=2',
  ];
  const more = [
    'Alt-Svc',
    'h3=":443"',
    'Referrer-Policy',
    'unsafe-url',
    'Connection',
    'close, X-One',
    'X-One',
    '1',
  ];
  expect(headersOfPort([...raw, ...more, 'Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=1'])).toEqual(
    [
      ...['Content-Type', 'text/html', 'Set-Cookie', 'a=1; Path=/', 'set-cookie', 'b=2'],
      ...['Referrer-Policy', 'same-origin'],
    ],
  );
});
