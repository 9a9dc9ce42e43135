import { describe, expect, it } from 'vitest';
import { fileIn, workspacePath } from '../../../src/commands/paths.ts';

describe('a path', () => {
  it.each([
    ['a.py', '/workspace/a.py'],
    ['./a/../b', '/workspace/b'],
    ['/workspace', '/workspace'],
    ['/workspace/a//b/', '/workspace/a/b'],
    ['...', '/workspace/...'],
    ['é', '/workspace/é'],
  ])('%s is %s', (path, absolute) => {
    expect(workspacePath(path, 'path')).toBe(absolute);
  });

  it.each([
    '',
    '..',
    'a/../../b',
    '/etc/passwd',
    '/workspace/../etc',
    '/workspace2/a',
    'a\0b',
    'x'.repeat(256),
    'é'.repeat(128),
    'a/'.repeat(2100),
  ])('%j is refused by its text', path => {
    expect(() => workspacePath(path, 'sourcePath')).toThrow(
      expect.objectContaining({ code: 'VALIDATION_ERROR', field: 'sourcePath' }),
    );
  });

  it('of a file is not /workspace itself', () => {
    expect(() => fileIn('.', 'path')).toThrow(/must name a file/);
    expect(fileIn('a', 'path')).toBe('/workspace/a');
  });
});
