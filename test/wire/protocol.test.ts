import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as messages from '../../src/wire/messages.ts';

/** The agent's own words for the protocol: NAME = value, values with C's `*` between numbers. */
const header = readFileSync(new URL('../../src/agent/protocol.h', import.meta.url), 'utf8');
const inC = Object.fromEntries(
  [...header.matchAll(/\b([A-Z][A-Z_]+) = ([\d *]+)/g)].map(([, name, value = '']) => [
    name,
    value.split('*').reduce((product, factor) => product * Number(factor), 1),
  ]),
);
const upper = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
const prefixed = (prefix: string, values: object) =>
  Object.entries(values).map(([name, value]) => [`${prefix}_${upper(name)}`, value]);

test('the agent and the service agree on every number of their language', () => {
  const inTypeScript = Object.fromEntries([
    ...prefixed('TO', messages.ToAgent),
    ...prefixed('FROM', messages.FromAgent),
    ...prefixed('FILE', messages.FILE_OPS),
  ]);
  expect(inC).toMatchObject(inTypeScript);
  for (const name of [
    'PROTOCOL_VERSION',
    'MAX_FRAME_BYTES',
    'DATA_FRAME_BYTES',
    'OUTPUT_WINDOW_BYTES',
    'OUTPUT_FRAME_COST',
  ] as const)
    expect([name, inC[name]]).toEqual([name, messages[name]]);
});
