import { expect, it } from 'vitest';
import { go } from '../../../src/packages/go.ts';

/** What go says of what is not there, and how a client is told. */
it.each([
  [
    'go: a.test/a@v9.0.0: reading http://127.0.0.1:3128/go/a.test/a/@v/v9.0.0.info: 404 Not Found',
    'a.test/a@v9.0.0',
  ],
  ['go: module a.test/a: no matching versions for query "v7"', 'a.test/a'],
  [
    'go: module a.test/a@upgrade found (v1.0.0), but does not contain package a.test/a/missing',
    'a.test/a/missing',
  ],
  [
    'go: a.test/a@v1.0.0: verifying go.mod: a.test/a@v1.0.0/go.mod: reading http://127.0.0.1:3128/go/sumdb/s.test/lookup/a.test/a@v1.0.0: 404 Not Found',
    'a.test/a@v1.0.0 in the checksum database of this server, whose operator names what is private by GOPRIVATE or GONOSUMDB',
  ],
])('%s', (words, missing) => {
  expect(go.reasonOf(words)).toBe('not_found');
  expect(go.missingIn!(words)).toBe(missing);
});

it('is asked with a database of checksums, whatever an image’s own settings are', () => {
  const checksums = { key: 'sums.test+00+key', url: 'https://sums.test/', except: '' };
  for (const { env } of go.steps({
    toolLayer: '',
    gateway: 'http://gateway',
    list: [],
    checksums,
    build: false,
  }))
    expect(env).toMatchObject({
      GOENV: 'off',
      GOPRIVATE: '',
      GONOSUMDB: '',
      GOSUMDB: checksums.key,
      GOPROXY: 'http://gateway/go',
    });
});
