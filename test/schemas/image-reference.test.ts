import { Value } from '@sinclair/typebox/value';
import { describe, expect, test } from 'vitest';
import { fitsSome, ImageReference } from '../../src/schemas/image-reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const isName = (text: string) => Value.Check(ImageReference, text);

/** The grammar of github.com/distribution/reference, and what makes another request of a URL. */
describe('names of images', () => {
  test.for([
    'codebeaker-python',
    'codebeaker-python:latest',
    'python:3.13-slim',
    'a',
    'library/python',
    'registry.example/team/image:v1.2_3',
    'registry.example:5000/image',
    'localhost:5000/a/b/c',
    'LOCALHOST/image',
    '[2001:db8::1]:5000/image',
    `python@${DIGEST}`,
    `registry.example:5000/python:3.13@${DIGEST}`,
    'a__b/c---d/e.f_g',
    `a${'b'.repeat(254)}:${'t'.repeat(128)}`,
  ])('%s is one', name => {
    expect(isName(name)).toBe(true);
  });

  test.for([
    '',
    'Upper',
    'a/../b',
    '..',
    '../b',
    'a/./b',
    'a//b',
    '/a',
    'a/',
    'a?b',
    'a#b',
    'a%2fb',
    'a%',
    'a b',
    'a\n',
    'a\r\nb',
    'a\0',
    'a\\b',
    'é',
    'a:',
    'a:b:c',
    'a:.b',
    'a@',
    'a@sha256:0123',
    'a@sha256:../..',
    'http://a/b',
    'a.b-/c',
    'a___b',
    '-a',
    'a-',
    '0123456789abcdef'.repeat(4),
    `a${'b'.repeat(255)}`,
    `registry.example/${'a'.repeat(250)}`,
    `a:${'t'.repeat(129)}`,
  ])('%j is none', name => {
    expect(isName(name)).toBe(false);
  });

  test('are told from long texts at once', () => {
    for (const text of ['a', 'a-', 'a.', 'a/', 'a:', 'a:1/', '-', ':', 'a_'].map(part => part.repeat(1e6)))
      expect(isName(text)).toBe(false);
  });

  test.for([
    '*',
    'codebeaker-*',
    'python:3.*-slim',
    '*/a',
    'r.example:*/a',
    'a:*',
    'a@*',
    'a@sha256:*',
    '*b*',
  ])('%s fits some', pattern => {
    expect(fitsSome(pattern)).toBe(true);
  });

  test.for(['codebeaker *', '../*', 'A*', 'a?*', 'a//*', 'http://*', 'a*#', '', 'a:*:*:*'])(
    '%j fits none',
    pattern => {
      expect(fitsSome(pattern)).toBe(false);
    },
  );
});
