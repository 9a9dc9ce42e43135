import { describe, expect, it } from 'vitest';
import { MAX_REQUIREMENTS, pythonRequirements } from '../../../src/packages/requirements.ts';

const parse = (...list: string[]) => pythonRequirements(list, 'packages');

describe('a requirement of Python', () => {
  it.each([
    ['pandas', 'pandas', false],
    ['Pandas_Extra.Bits', 'pandas-extra-bits', false],
    ['requests==2.31.0', 'requests', true],
    ['requests === 2.31.0', 'requests', true],
    ['requests==2.*', 'requests', false],
    ['requests>=2,<3', 'requests', false],
    ['requests[socks, security] ~= 2.31', 'requests', false],
    ['requests (>=2, !=2.5)', 'requests', false],
    ['tomli==2.0.1; python_version < "3.11"', 'tomli', false],
    ['torch==2.1.0+cpu', 'torch', true],
  ])('%s is taken', (text, name, pinned) => {
    expect(parse(text)).toEqual([{ text, name, pinned }]);
  });

  it.each([
    ['-r /etc/passwd', 'is an option'],
    ['--index-url=http://x', 'is an option'],
    [' --pre', 'is an option'],
    ['x @ file:///etc', 'names a place'],
    ['x@https://evil.example/x.whl', 'names a place'],
    ['git+ssh://evil.example/x', 'names a place'],
    ['https://evil.example/x-1-py3-none-any.whl', 'names a place'],
    ['../x', 'is a path'],
    ['./x', 'is a path'],
    ['~/x', 'is a path'],
    ['dir/x', 'is a path'],
    ['C:\\x', 'is a path'],
    ['six\nevil', 'control character'],
    ['six\0', 'control character'],
    ['', 'is no requirement'],
    ['six --pre', 'is no requirement'],
    ['six==', 'is no requirement'],
    ['six=1', 'is no requirement'],
    ['-six', 'is an option'],
    ['sïx', 'is no requirement'],
    ['six; $(id)', 'is no requirement'],
    ['six # a comment', 'is no requirement'],
    ['.', 'is a path'],
  ])('%j is refused', (text, why) => {
    expect(() => parse('ok', 'fine', text)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_ERROR',
        field: 'packages[2]',
        message: expect.stringMatching(new RegExp(`^packages\\[2\\]: .*${why}`)),
      }),
    );
  });

  it('with however many spaces is read, and refused, as with one', () => {
    const many = ' '.repeat(9000);
    expect(parse(`six${many}==${many.slice(8500)}1.0`)).toEqual([
      { text: 'six == 1.0', name: 'six', pinned: true },
    ]);
    expect(() => parse(`six${many}!`)).toThrow('is no requirement');
    expect(() => parse(`six==1${many};`)).toThrow('is no requirement');
  });

  it('is one of a bounded list', () => {
    expect(() => parse(...Array(MAX_REQUIREMENTS + 1).fill('six'))).toThrow(
      'packages: has more than 100 entries',
    );
    expect(() => parse(`a${'b'.repeat(10_000)}`)).toThrow('packages: has more than 10000 characters');
  });

  it('is read in linear time', () => {
    const long = `a${'-'.repeat(9000)}!`;
    const begun = performance.now();
    expect(() => parse(long)).toThrow('is no requirement');
    expect(() => parse(`six[${'a,'.repeat(4000)}`)).toThrow('is no requirement');
    expect(() => parse(`six${'==1,'.repeat(2000)}`)).toThrow('is no requirement');
    // Quadratic or worse would take minutes.
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
