import { expect, it } from 'vitest';
import { machineGoIndex } from '../../../src/packages/machine-go-settings.ts';

const NOWHERE = '/nonexistent';
const index = (environment: Record<string, string>, address?: string) =>
  machineGoIndex(environment, address, NOWHERE);
const GO = { key: 'sum.golang.org', url: 'https://sum.golang.org/', except: '' };

it.each([
  ['nothing', {}, { url: 'https://proxy.golang.org', checksums: GO }],
  ['a list', { GOPROXY: 'off,https://one.test|https://two.test,direct' }, { url: 'https://one.test' }],
  ['no proxy', { GOPROXY: 'direct' }, { url: 'https://proxy.golang.org' }],
  ['no database', { GOSUMDB: 'off' }, { checksums: null }],
  [
    'a database of its own',
    {
      GOSUMDB: 'sums.test+00+key https://here.test/sums',
      GOPRIVATE: 'private.test',
      GONOSUMDB: 'other.test',
    },
    { checksums: { key: 'sums.test+00+key', url: 'https://here.test/sums/', except: 'other.test' } },
  ],
  ['what is private', { GOPRIVATE: 'private.test/*' }, { checksums: { ...GO, except: 'private.test/*' } }],
  [
    'another way to Go’s database',
    { GOSUMDB: 'sum.golang.google.cn' },
    { checksums: { ...GO, url: 'https://sum.golang.google.cn/' } },
  ],
])('a machine whose go is set to %s has that', (_, environment, expected) => {
  expect(index(environment)).toMatchObject(expected);
});

it('is asked for the database alone where the operator names a proxy', () => {
  expect(index({ GOPROXY: 'https://one.test' }, 'https://mine.test/go')).toEqual({
    url: 'https://mine.test/go',
    authorization: null,
    checksums: GO,
  });
});
