import { describe, expect, test } from 'vitest';
import { go } from '../../../src/packages/go.ts';
import { allowsAll, KnownLists } from '../../../src/packages/known-lists.ts';
import type { Layer } from '../../../src/packages/layer.ts';
import { npm } from '../../../src/packages/npm.ts';
import { pinned } from '../../../src/packages/pinned.ts';
import { python } from '../../../src/packages/python.ts';

const keyOf = (list: readonly string[]) => JSON.stringify([...new Set(list)].sort());
const holding = (...versions: string[]): Layer => ({
  ...{ id: '', name: '', bytes: 0 },
  installed: versions.map(each => {
    const [name = '', version = ''] = each.split('==');
    return { name, version, bytes: 1, digest: null };
  }),
});
const inPython = (...list: string[]) => python.parse(list, 'packages');

/** Keys of the lists that may answer one, of those that are known. */
function answering(list: string[], ...known: string[][]): string[] {
  const lists = new KnownLists();
  for (const each of known) lists.note(each.join(), inPython(...each), keyOf);
  return lists.looser(inPython(...list), keyOf).map(({ key }) => key);
}

describe('a list that is known answers', () => {
  test('one that names the same in other words, or asks for more', () => {
    expect(answering(['Pandas', 'numpy >= 2'], ['numpy', 'pandas'])).toEqual(['numpy,pandas']);
    expect(answering(['numpy', 'pandas==3.1'], ['pandas ==3.1', 'numpy'])).toEqual(['pandas ==3.1,numpy']);
    expect(answering(['requests[SOCKS]>=2'], ['requests[socks]'])).toEqual(['requests[socks]']);
    expect(answering(['a', 'a>1'], ['a'])).toEqual(['a']);
  });

  test('none that asks for less, for something else or for something beside', () => {
    expect(answering(['pandas'], ['pandas<3'])).toEqual([]);
    expect(answering(['pandas>2'], ['pandas<3'])).toEqual([]);
    expect(answering(['pandas', 'numpy'], ['pandas'])).toEqual([]);
    expect(answering(['pandas'], ['pandas', 'numpy'])).toEqual([]);
    expect(answering(['requests'], ['requests[socks]'])).toEqual([]);
    expect(answering(['a; os_name == "nt"'], ['a'], ['a; os_name == "nt"'])).toEqual([]);
  });

  test('none of a client’s where it is the service’s own', () => {
    const lists = new KnownLists();
    const wheel = { project: 'debugpy', version: '1.8.0', sha256: 'ab'.repeat(32) };
    lists.note('own', pinned(wheel).list, keyOf);
    expect(lists.looser(inPython('debugpy==1.8.0'), keyOf)).toEqual([]);
  });

  test('and only so many are known', () => {
    const lists = new KnownLists();
    for (let i = 0; i < 600; i++) lists.note(`${i}`, inPython(`p${i}`), keyOf);
    const isKnown = (name: string) => lists.looser(inPython(name), keyOf).length;
    expect([isKnown('p99'), isKnown('p100'), isKnown('p599')]).toEqual([0, 1, 1]);
  });
});

test('of a list, the known ones are told that ask for some of it in the same words and the same place', () => {
  const within = (list: string[], ...known: string[][]) => {
    const lists = new KnownLists();
    for (const each of known) lists.note(keyOf(each), npm.parse(each, 'packages'), keyOf);
    lists.note('elsewhere', npm.parse(['a'], 'packages'), () => 'elsewhere');
    return lists.within(npm.parse(list, 'packages'), keyOf).map(each => each.list.map(({ text }) => text));
  };
  expect(within(['a', 'b@1', 'c'], ['a', 'b@1'], ['c'])).toEqual([['c'], ['a', 'b@1']]);
  expect(within(['a', 'b@1'], ['a', 'b@1'], ['b'], ['b@2'], ['a', 'd'])).toEqual([]);
});

describe('what a layer holds is', () => {
  test.each([
    ['numpy', true],
    ['numpy==2.3.1', true],
    ['numpy==2.3.1.0', true],
    ['numpy===2.3.1', true],
    ['numpy==2.*', true],
    ['numpy>=2,<3,!=2.3.2', true],
    ['numpy~=2.3', true],
    ['numpy~=2.3.0', true],
    ['numpy~=2.2.0', false],
    ['numpy~=2', false],
    ['numpy>2.3.1', false],
    ['numpy<=2.3', false],
    ['numpy!=2.*', false],
    ['numpy==2.3.1+local', false],
    ['numpy>=2.3rc1', false],
    ['numpy>=2.*', false],
    ['Scikit_Learn>1', true],
    ['missing', false],
    // Which of the two a program finds, is not known.
    ['twice', false],
    ['preview', true],
    ['preview==3.0rc1', true],
    ['preview>=2', false],
  ])('what %s asks for: %s', (text, is) => {
    const layer = holding('numpy==2.3.1', 'scikit-learn==1.7', 'twice==1', 'twice==2', 'preview==3.0rc1');
    expect(allowsAll(inPython(text), layer, python)).toBe(is);
  });

  test('also in the words of npm and of Go', () => {
    const isFor = (text: string) => allowsAll(npm.parse([text], ''), holding('express==5.1.0'), npm);
    for (const text of ['express', 'express@latest', 'express@5', 'express@^5.0.1', 'express@4 || 5'])
      expect({ text, is: isFor(text) }).toEqual({ text, is: true });
    for (const text of ['express@4', 'express@next', 'express@>5.1.0'])
      expect({ text, is: isFor(text) }).toEqual({ text, is: false });
    const uuid = holding('github.com/google/uuid==v1.6.0');
    const inGo = (text: string) => allowsAll(go.parse([text], ''), uuid, go);
    expect(inGo('github.com/google/uuid@v1.6.0')).toBe(true);
    expect(inGo('github.com/google/uuid@v1.5.0')).toBe(false);
  });
});
