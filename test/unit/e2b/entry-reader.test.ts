import { describe, expect, it } from 'vitest';
import { EntryReader } from '../../../src/service/entries/entry-reader.ts';

const read = (...fields: string[]) =>
  new EntryReader(Buffer.from(fields.map(field => `${field}\0`).join(''), 'latin1'));

describe('an entry of a sandbox', () => {
  it('is read with its time, names that are no UTF-8 and metadata', () => {
    const reader = read('f', '12', '4755', '1700000000.000000001', '/tmp/caf\xe9', '', '1', 'author', 'me');
    expect(reader.entry()).toEqual({
      path: '/tmp/caf\\xe9',
      type: 'file',
      size: 12,
      mode: 0o4755,
      modifiedAt: 1_700_000_000_000_000_001n,
      target: null,
      metadata: { author: 'me' },
    });
    expect(reader.done).toBe(true);
    expect(read('l', '1', '777', '-5.000000000', '/a', '/b', '0').entry()).toMatchObject({ target: '/b' });
  });

  it.each([
    ['of no type', ['x', '1', '644', '1.000000000', '/a', '', '0']],
    ['with a size below nothing', ['f', '-1', '644', '1.000000000', '/a', '', '0']],
    ['with a time that is none', ['f', '1', '644', 'soon', '/a', '', '0']],
    ['without an end', ['f', '1', '644']],
    ['with more metadata than there is', ['f', '1', '644', '1.000000000', '/a', '', '9999999']],
  ])('%s is no entry', (_, fields) => {
    expect(() => read(...fields).entry()).toThrow(/an entry/);
  });
});
