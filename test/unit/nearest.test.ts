import { expect, it } from 'vitest';
import { nearest } from '../../src/nearest.ts';
import { ExecuteRequest } from '../../src/schemas/execution.ts';
import { validator } from '../../src/schemas/validate.ts';

const WORDS = ['timeout', 'memoryLimit', 'code', 'stdin'];

it.each([
  ['timout', 'timeout'],
  ['tiemout', 'timeout'],
  ['timeouts', 'timeout'],
  ['Timeout', 'timeout'],
  ['memorylimt', 'memoryLimit'],
  ['cods', 'code'],
  ['sdtin', 'stdin'],
  ['memory', 'memoryLimit'],
  ['mem', null],
  ['colour', null],
  ['x', null],
  ['', null],
  ['t'.repeat(65), null],
])('%s means %s', (word, meant) => {
  expect(nearest(word, WORDS)).toBe(meant);
});

it('an unknown field is told with the one that is meant', () => {
  const validate = validator(ExecuteRequest);
  const request = { code: '1', language: 'python' };
  expect(() => validate({ ...request, sdtin: '' })).toThrow(/^sdtin: unknown field; did you mean stdin\?$/);
  expect(() => validate({ ...request, config: { memorylimit: 1 } })).toThrow(
    /^config\.memorylimit: unknown field; did you mean memoryLimit\?$/,
  );
  expect(() => validate({ ...request, colour: 1 })).toThrow(/^colour: unknown field$/);
  expect(() => validate({ ...request, memory_limit: 1 })).toThrow(/did you mean config\.memoryLimit\?$/);
  expect(() => validate({ ...request, timeout: 1 })).toThrow(
    /^timeout: unknown field; did you mean config\.timeout\?$/,
  );
  // What is never near costs nothing.
  expect(() => validate({ ...request, ['s'.repeat(1_000_000)]: 1 })).toThrow(/unknown field$/);
});

it('a field that is missing is told with one beside it that nobody knows', () => {
  const validate = validator(ExecuteRequest);
  expect(() => validate({ language: 'python', cod: '1' })).toThrow(
    /^code: missing, and cod is an unknown field$/,
  );
  expect(() => validate({ language: 'python', config: { colour: 1 } })).toThrow(/^code: missing$/);
  expect(() => validate({ language: 'python', ['c'.repeat(65)]: 1 })).toThrow(/^code: missing$/);
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`${'c'.repeat(65)}${i}`, 1]));
  expect(() => validate({ ...many, language: 'python', cod: 1 })).toThrow(/^code: missing$/);
});
