import { describe, expect, it } from 'vitest';
import { globMatcher } from '../../src/commands/glob.ts';

describe('a glob', () => {
  it.each([
    ['*.txt', ['a.txt', '.txt', 'é😀.txt'], ['a.txt.gz', 'b/a.txt', 'txt']],
    ['?', ['a', '😀'], ['', 'ab', '/']],
    ['a*b*c', ['abc', 'aXbXbXc'], ['ab', 'abcd']],
    ['[a-c]?[!0-9]', ['b1x', 'a-_'], ['d1x', 'b12']],
    ['[]]', [']'], ['[', '[]']],
    ['src/*.ts', ['src/a.ts'], ['src/a/b.ts', 'a.ts', 'src/']],
    ['src/**/a.ts', ['src/a.ts', 'src/b/a.ts', 'src/b/c/a.ts'], ['a.ts', 'src/a.tsx']],
    ['**/*', ['a', 'a/b'], []],
    ['*.{js,ts}', ['a.js', 'a.ts'], ['a.{js,ts}', 'a.py']],
    ['{a,b{1,2}}', ['a', 'b1', 'b2'], ['b', 'a1']],
    ['\\*[', ['*['], ['a[']],
    ['{a}', ['{a}'], ['a']],
  ])('%s', (pattern, fits, others) => {
    const matches = globMatcher(pattern, 'pattern');
    expect(fits.filter(path => !matches(path))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('that means very many patterns is refused', () => {
    expect(() => globMatcher('{a,b}'.repeat(50), 'pattern')).toThrow(/^pattern: means over 64/);
  });

  it('made to take long with many names gives up', () => {
    const pattern = `**/*${'[a-a]'.repeat(46)}${'b{,}'.repeat(6)}`;
    const matches = globMatcher(pattern, 'pattern');
    const path = `${'a'.repeat(255)}/`.repeat(15);
    expect(() => {
      for (let i = 0; i < 4000; i++) matches(`${path}${i}`);
    }).toThrow(/^pattern: takes too long/);
    for (const name of ['a', 'é'.repeat(200)]) expect(globMatcher('[a-zé]*', 'pattern')(name)).toBe(true);
  });

  it.each([
    [`${'*a'.repeat(127)}c`, 'a'.repeat(255)],
    [`${'**/a/'.repeat(50)}c`, 'a/'.repeat(2000)],
    [`${'[a-z]*'.repeat(42)}0`, 'a'.repeat(255)],
  ])('made to take long does not: %s', (pattern, path) => {
    // It counts its comparisons, and throws when they are too many.
    expect(globMatcher(pattern, 'pattern')(path)).toBe(false);
  });
});
