import { expect, test } from 'vitest';
import { changesSomething } from '../../../src/kernels/debugging/webkit/side-effects.ts';

test.each([
  ['a', false],
  ['a.b[c]?.d + `e` // the end', false],
  ['(() => f())', true],
  ['typeof a === "b" ? !c : [d, -e]', false],
  ['a = 1', true],
  ['a++', true],
  ['delete a.b', true],
  ['f()', true],
  ['new F', true],
  ['f`x`', true],
  ['await a', true],
  ['import("x")', true],
  ['[...a]', true],
  ['class { static { f() } }', true],
  ['1); f(', true],
  ['let a', true],
  ['', true],
])('%s may change something: %s', (expression, expected) => {
  expect(changesSomething(expression)).toBe(expected);
});
