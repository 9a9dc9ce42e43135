import { expect, test } from 'vitest';
import { originCheck } from '../../../plugins/guard.ts';
import { readConfig } from '../../../src/config.ts';
import { PortNames, portOfSession } from '../../../src/port-names.ts';

const LABEL = `8000-${'ab'.repeat(16)}`;
const ID = '0f0c3a53-6a0e-4f6e-9f0c-b1f5a1a9d6c2';
const local = new PortNames(undefined);
local.listensOn(5039);
const own = new PortNames('https://ports.example.com');

test('names lead to where the server listens, or to the operator’s domain', () => {
  own.listensOn(5039);
  expect(local.urlOf(LABEL)).toBe(`http://${LABEL}.localhost:5039`);
  expect(own.urlOf(LABEL)).toBe(`https://${LABEL}.ports.example.com`);
  expect([local.domain, own.domain]).toEqual(['localhost:5039', 'ports.example.com']);
});

test.each([
  [`3000-${ID}`, { port: 3000, sessionId: ID }],
  [`65536-${ID}`, null],
  [`0-${ID}`, null],
  [`03000-${ID}`, null],
  [`evil.3000-${ID}`, null],
  [`3000-${ID}0`, null],
  [LABEL, null],
])('%s is a port of a session or not', (label, named) => {
  expect(portOfSession(label)).toEqual(named);
});

test.each([
  [`${LABEL}.localhost:5039`, LABEL],
  [`${LABEL.toUpperCase()}.LOCALHOST`, LABEL],
  [`${LABEL}.localhost.`, LABEL],
  [`${LABEL}.localhost.evil.example`, null],
  [`evil.${LABEL}.localhost`, `evil.${LABEL}`],
  [`${LABEL}xlocalhost`, null],
  [`3000-${ID}.localhost:5039`, `3000-${ID}`],
  [`evil.3000-${ID}.localhost`, `evil.3000-${ID}`],
  [`${ID}.localhost`, null],
  ['localhost:5039', null],
  ['app.localhost:5039', null],
  ['8000-abc.localhost', null],
  ['127.0.0.1', null],
  ['', null],
  [undefined, null],
])('%s is a port’s name or the API’s', (host, label) => {
  expect(local.labelIn(host)).toBe(label);
});

test('all below the operator’s domain is of ports, and the domain itself is not', () => {
  expect(own.labelIn(`${LABEL}.ports.example.com`)).toBe(LABEL);
  expect(own.labelIn('api.ports.example.com')).toBe('api');
  expect(own.labelIn('a.b.ports.example.com')).toBe('a.b');
  expect(own.labelIn('ports.example.com')).toBeNull();
  expect(own.labelIn(`${LABEL}.localhost`)).toBeNull();
});

test('a page of a port’s may not call the API, whatever its name', () => {
  const config = readConfig({});
  expect(originCheck(config, local)(`http://${LABEL}.localhost:5039`, 'localhost:5039')).toBe(false);
  expect(originCheck(config, local)('http://app.localhost:3000', 'localhost:5039')).toBe(true);
  const page = `https://${LABEL}.ports.example.com`;
  expect(originCheck(config, own)(page, `${LABEL}.ports.example.com`)).toBe(false);
});
