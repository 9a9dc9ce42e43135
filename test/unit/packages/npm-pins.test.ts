import { describe, expect, test } from 'vitest';
import { npm } from '../../../src/packages/npm.ts';

const { pinsIn, holds } = npm.resolution!;
const DIGESTS = { a: Buffer.alloc(64, 1), b: Buffer.alloc(64, 2), wide: Buffer.alloc(64, 3) };
const integrity = (of: Buffer) => `sha512-${of.toString('base64')}`;
const A = `    "a": ["a@1.0.0", "http://127.0.0.1:3128/npm/a/-/a-1.0.0.tgz", { "dependencies": { "@s/b": "^2" } }, "${integrity(DIGESTS.a)}"],`;
const B = `    "a/@s/b": ["@s/b@2.0.0", "", {}, "${integrity(DIGESTS.b)}"],`;
const WIDE = `    "w": ["w@3.0.0", "", { "os": "aix" }, "${integrity(DIGESTS.wide)}"],`;
const lockfile = (...lines: string[]) =>
  `{\n  "lockfileVersion": 2,\n  "workspaces": {\n    "": {\n      "name": "session",\n    },\n  },\n  "packages": {\n${lines.join('\n\n')}\n  }\n}`;

describe('what a list of npm’s comes to is', () => {
  const told = [
    `a a@1.0.0 ${integrity(DIGESTS.a)}`,
    `a/@s/b @s/b@2.0.0 ${integrity(DIGESTS.b)}`,
    `w w@3.0.0 ${integrity(DIGESTS.wide)} somewhere`,
  ];
  test('where each version lies, with its digest, as bun’s lockfile has it', () => {
    expect(pinsIn(lockfile(A, B, WIDE))).toEqual(told);
  });

  test.each([
    ['words of another kind', 'Resolved, downloaded and extracted [190]'],
    ['a file that is cut off', lockfile(A, B).slice(200)],
    ['a file with more behind it', `${lockfile(A)}\nmore`],
    ['a place', lockfile(A, '    "c": ["c@file:../etc", { }],')],
    ['no digest', lockfile(A, '    "c": ["c@1.0.0", "", {}, ""],')],
    ['a line of two', lockfile(`    "c": ["c@1.0.0 d@1.0.0", "", {}, "${integrity(DIGESTS.a)}"],`)],
  ])('unknown by %s', (_, words) => {
    expect(pinsIn(words)).toBeNull();
  });

  const installed = (name: keyof typeof DIGESTS, as: string, version: string) => ({
    ...{ name: as, version, bytes: 1, digest: `sha512:${DIGESTS[name].toString('hex')}` },
  });
  const all = [installed('a', 'a', '1.0.0'), installed('b', '@s/b', '2.0.0')];
  const asked = { pages: ['a', '@s/b', 'w'], unused: [], failed: false, passing: false };

  test('what was installed where that has these digests, for other machines aside', () => {
    expect(holds({ installed: all, asked }, told)).toBe(true);
    expect(holds({ installed: [...all, installed('wide', 'w', '3.0.0')], asked }, told)).toBe(true);
  });

  test.each([
    ['one is not there', { installed: all.slice(1), asked }],
    ['another is there', { installed: [...all, installed('a', 'c', '1.0.0')], asked }],
    ['one has another digest', { installed: [all[0]!, installed('a', '@s/b', '2.0.0')], asked }],
    ['one has none', { installed: [all[0]!, { ...all[1]!, digest: null }], asked }],
    ['a page of another was read', { installed: all, asked: { ...asked, pages: ['a', 'evil'] } }],
    ['another was unpacked', { installed: all, asked: { ...asked, unused: ['evil@1.0.0'] } }],
    ['something was refused', { installed: all, asked: { ...asked, failed: true } }],
    ['nobody tells what was asked for', { installed: all, asked: undefined }],
  ])('nothing that is found by it where %s', (_, done) => {
    expect(holds(done, told)).toBe(false);
  });
});
