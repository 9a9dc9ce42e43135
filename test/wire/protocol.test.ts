import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  DATA_FRAME_BYTES,
  FAILURES,
  FILE_OPS,
  FromAgent,
  MAX_FRAME_BYTES,
  OUTPUT_FRAME_COST,
  OUTPUT_WINDOW_BYTES,
  PROTOCOL_VERSION,
  STREAM_FRAME_COST,
  STREAM_WINDOW_BYTES,
  ToAgent,
} from '../../src/wire/messages.ts';

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
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${upper(name)}`, value]));

test('the agent and the service agree on every number of their language', () => {
  const numbers = {
    DATA_FRAME_BYTES,
    MAX_FRAME_BYTES,
    OUTPUT_FRAME_COST,
    OUTPUT_WINDOW_BYTES,
    PROTOCOL_VERSION,
    STREAM_FRAME_COST,
    STREAM_WINDOW_BYTES,
    ...prefixed('FAILED', Object.fromEntries(FAILURES.map((name, number) => [name, number]))),
    ...prefixed('TO', ToAgent),
    ...prefixed('FROM', FromAgent),
    ...prefixed('FILE', FILE_OPS),
  };
  expect(inC).toMatchObject(numbers);
});
