import { expect, test } from 'vitest';
import { allows, isIdentifier } from '../../../src/runtimes/docker/allowed-images.ts';

test.for([
  ['codebeaker-*', 'codebeaker-python', true],
  ['codebeaker-*', 'codebeaker-python:latest', true],
  ['codebeaker-*', 'my-codebeaker-python', false],
  ['python', 'python:latest', true],
  ['python', 'python:3.13', false],
  ['python:3.*-slim', 'python:3.13-slim', true],
  ['python:3.*-slim', 'python:3-slim', false],
  ['*', 'anything/at:all', true],
  ['a*a', 'a', false],
] as const)('%s lets %s in: %s', ([pattern, image, expected]) => {
  expect(allows([pattern], image)).toBe(expected);
});

test('an empty list lets nothing in', () => {
  expect(allows([], 'codebeaker-python')).toBe(false);
});

test.for([
  ['2bf430fe6c82', true],
  ['sha256:2bf4', true],
  ['2bf5', false],
  ['2bf4:latest', false],
  ['codebeaker-python', false],
] as const)('%s is a part of an identifier: %s', ([image, expected]) => {
  expect(isIdentifier(image, 'sha256:2bf430fe6c82deadbeef')).toBe(expected);
});
