import { describe, expect, it } from 'vitest';
import { MAX_REQUIREMENTS, npmRequirements, pythonRequirements } from '../../../src/packages/requirements.ts';

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
    expect(parse(text)).toMatchObject([{ text, name, pinned }]);
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
    expect(parse(`six${many}==${many.slice(8500)}1.0`)).toMatchObject([
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

describe('a package of npm', () => {
  const npm = (...list: string[]) => npmRequirements(list, 'packages');

  it.each([
    ['lodash', 'lodash', '', false],
    ['lodash@4', 'lodash', '4', false],
    ['lodash@4.17.21', 'lodash', '4.17.21', true],
    ['@scope/x@^1.2', '@scope/x', '^1.2', false],
    ['@scope/x', '@scope/x', '', false],
    ['JSONStream@1.x', 'JSONStream', '1.x', false],
    ['react@>=18 <20 || 17.0.2', 'react', '>=18 <20 || 17.0.2', false],
    ['react@1.2.3 - 2.3', 'react', '1.2.3 - 2.3', false],
    ['typescript@next', 'typescript', 'next', false],
    ['@types/node@ts4.9', '@types/node', 'ts4.9', false],
    ['next@15.0.0-rc.1', 'next', '15.0.0-rc.1', true],
    ['x@*', 'x', '*', false],
  ])('%s is taken', (text, name, versions, pinned) => {
    expect(npm(text)).toEqual([{ text, name, versions, pinned }]);
  });

  it.each([
    ['--registry=http://x', 'is an option'],
    ['lodash@npm:evil', 'names a place'],
    ['lodash@file:/etc', 'names a place'],
    ['lodash@workspace:*', 'names a place'],
    ['git+ssh://evil.example/x', 'names a place'],
    ['github:someone/x', 'names a place'],
    ['https://evil.example/x.tgz', 'names a place'],
    ['someone/x', 'is a path'],
    ['lodash@someone/x', 'is a path'],
    ['../x', 'is a path'],
    ['/etc/x', 'is a path'],
    ['~/x', 'is a path'],
    ['@scope/../x', 'is a path'],
    ['lodash@../x', 'is a path'],
    ['lodash@evil.tgz', 'is no package'],
    ['lodash@evil.1.tgz', 'is no package'],
    ['lodash@evil.1tgz', 'is no package'],
    ['lodash@..', 'is no package'],
    ['lodash@4 evil', 'is no package'],
    ['lodash@', 'is no package'],
    ['@scope', 'is no package'],
    ['', 'is no package'],
    ['.bin', 'is a path'],
    ['__proto__', 'is no package'],
    ['lodash\nevil', 'control character'],
    ['ok@2', 'in the list already'],
  ])('%j is refused', (text, why) => {
    expect(() => npm('ok', 'fine', text)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_ERROR',
        field: 'packages[2]',
        message: expect.stringMatching(new RegExp(`^packages\\[2\\]: .*${why}`)),
      }),
    );
  });

  it('is read in linear time', () => {
    const begun = performance.now();
    expect(() => npm(`x@${'1  '.repeat(3000)}!`)).toThrow('is no package');
    expect(() => npm(`x@${'1 || '.repeat(1500)}!`)).toThrow('is no package');
    expect(() => npm(`@${'a'.repeat(9000)}`)).toThrow('is no package');
    // Quadratic or worse would take minutes.
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
