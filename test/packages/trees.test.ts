import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Facts } from '../../src/packages/registry/facts.ts';
import { BadTree, type FrozenTree, freeze, TreeTooLarge } from '../../src/packages/registry/freeze.ts';
import { placesIn } from '../../src/packages/registry/places.ts';
import { readTree } from '../../src/packages/registry/tree-reader.ts';
import { checkRecords, isRecord } from '../../src/packages/registry/wheel-records.ts';
import { exported } from './exported.ts';

/** What came of an install, as the registry's process checks and writes it. */
type ErrorClass = new (message: string) => Error;
const BOUNDS = { bytes: 1_000_000, entries: 50 };
const root = mkdtempSync(join(tmpdir(), 'codebeaker-trees-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(root, 'tree-'));

async function frozen(bytes: Buffer, directory: string): Promise<FrozenTree> {
  const entries = readTree([bytes]);
  const tree = freeze(entries, directory, { bounds: BOUNDS, links: false, keeps: isRecord('python') });
  checkRecords(tree, 'python', new Facts());
  return tree;
}

test('trees agree where the contents of each package are the same, and each link', async () => {
  const { files, links, ...rest } = await frozen(Buffer.from([0]), fresh());
  const tree = (all: Record<string, string>, more: Record<string, string> = {}) => {
    const list = Object.entries(all).map(
      ([path, sha256]) => [path, { sha256, bytes: 1, executable: false }] as const,
    );
    return placesIn({ ...rest, files: new Map(list), links: new Map(Object.entries(more)) });
  };
  const nested = tree({
    'node_modules/@a/b/x/index.js': '1',
    'node_modules/@a/b/node_modules/c/index.js': '2',
    'node_modules/c/test/node_modules/d/index.js': '3',
  });
  const places = ['node_modules/@a/b/', 'node_modules/@a/b/node_modules/c/', 'node_modules/c/'];
  expect(Object.keys(nested!)).toEqual(places);
  const one = tree({ 'node_modules/a/1': '1', 'node_modules/a/2': '2' });
  expect(tree({ 'node_modules/a/2': '2', 'node_modules/a/1': '1' })).toEqual(one);
  expect(tree({ 'node_modules/a/1': '2', 'node_modules/a/2': '1' })).not.toEqual(one);
  const link = { 'node_modules/.bin/x': '../a/1' };
  expect(tree({}, link)).toEqual(link);
  const many = Array.from({ length: 2001 }, (_, i) => [`node_modules/${i}/index.js`, '1'] as const);
  expect(tree(Object.fromEntries(many))).toBeUndefined();
});

describe('a tree', () => {
  /** An entry as the agent would never write it. */
  function entry(type: number, path: string | Buffer, { mode = 0o644, size = 0, content = '' } = {}): Buffer {
    const name = Buffer.from(path);
    const head = Buffer.alloc(5);
    head.writeUInt8(type, 0);
    head.writeUInt32LE(name.byteLength, 1);
    const rest = Buffer.alloc(12);
    rest.writeUInt32LE(mode, 0);
    rest.writeBigUInt64LE(BigInt(size || content.length), 4);
    return Buffer.concat([head, name, rest, Buffer.from(content)]);
  }
  const [END, FILE, DIRECTORY, LINK] = [Buffer.from([0]), 1, 2, 3];

  test('of good packages is written as it is, read-only in meaning and named by what it holds', async () => {
    const tree = exported(path => {
      mkdirSync(join(path, 'bin'));
      writeFileSync(join(path, 'bin/run'), '#!/bin/sh\n', { mode: 0o755 });
      writeFileSync(join(path, 'empty'), '');
      writeFileSync(join(path, 'caf\u00e9 name'), 'x'.repeat(300_000), { mode: 0o600 });
    });
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      const directory = fresh();
      ids.push((await frozen(tree, directory)).id);
      const at = (name: string) => join(directory, 'python', name);
      expect(statSync(at('bin/run')).mode & 0o7777).toBe(0o755);
      expect(statSync(at('caf\u00e9 name'))).toMatchObject({ size: 300_000 });
      expect(statSync(at('caf\u00e9 name')).mode & 0o7777).toBe(0o644);
    }
    expect(ids[0]).toBe(ids[1]);
  });

  test.for<[string, (path: string) => void]>([
    ['a link out', path => symlinkSync('../../../etc/passwd', join(path, 'link'))],
    ['a link inside, where none belongs', path => symlinkSync('other', join(path, 'link'))],
    ['a named pipe', path => execFileSync('mkfifo', [join(path, 'pipe')])],
    ['a name of two lines', path => writeFileSync(join(path, 'a\nb'), '')],
    [
      'a file that sets the user',
      path => {
        writeFileSync(join(path, 'su'), '');
        chmodSync(join(path, 'su'), 0o4755);
      },
    ],
    [
      'too many files',
      path => {
        for (let i = 0; i < BOUNDS.entries; i++) writeFileSync(join(path, String(i)), '');
      },
    ],
    ['too large a file', path => writeFileSync(join(path, 'large'), Buffer.alloc(BOUNDS.bytes + 1))],
    ['a record that names another digest', path => record(path, `a.py,sha256=${'A'.repeat(43)},2`)],
    [
      'a record that names another size',
      path => record(path, 'a.py,sha256=Xv3OqoTxbQ-uY5OdFvD1hNXEQWXnr2qDJxHPfp3jaLQ,3'),
    ],
    ['a record of a file that is not there', path => record(path, `b.py,sha256=${'A'.repeat(43)},2`)],
    ['a record of a file elsewhere', path => record(path, `../../../etc/passwd,sha256=${'A'.repeat(43)},2`)],
  ])('with %s is refused', async ([what, make]) => {
    const error = what.startsWith('too ') ? TreeTooLarge : BadTree;
    await expect(frozen(exported(make), fresh())).rejects.toThrow(error);
  });

  function record(path: string, line: string): void {
    writeFileSync(join(path, 'a.py'), 'x\n');
    mkdirSync(join(path, 'a-1.dist-info'));
    writeFileSync(join(path, 'a-1.dist-info/RECORD'), `${line}\na-1.dist-info/RECORD,,\n`);
  }

  test.for<[string, Buffer[], ErrorClass]>([
    ['a path above it', [entry(FILE, '../evil'), END], BadTree],
    ['a path from the root', [entry(FILE, '/evil'), END], BadTree],
    ['a path through a file', [entry(FILE, 'a'), entry(FILE, 'a/b'), END], BadTree],
    ['a path through a link', [entry(LINK, 'a', { content: '..' }), entry(FILE, 'a/b'), END], BadTree],
    ['a path through nothing', [entry(FILE, 'a/b'), END], BadTree],
    ['a dot in a path', [entry(DIRECTORY, '.'), END], BadTree],
    ['one name twice', [entry(FILE, 'a'), entry(FILE, 'a'), END], BadTree],
    ['a name with a NUL', [entry(FILE, 'a\0b'), END], BadTree],
    ['a name that is too long', [entry(FILE, 'a'.repeat(256)), END], BadTree],
    ['a size that is not there', [entry(FILE, 'a', { size: 2 ** 40 })], TreeTooLarge],
    ['a directory with bytes', [entry(DIRECTORY, 'a', { content: 'x' }), END], Error],
    ['a name that is no UTF-8', [entry(FILE, Buffer.from([0xff])), END], Error],
    ['an unknown type', [entry(9, 'a'), END], Error],
    ['half an entry', [entry(FILE, 'a').subarray(0, 7)], Error],
    ['no end', [entry(FILE, 'a')], Error],
  ])('that comes with %s is refused, and nothing of it is written elsewhere', async ([, parts, error]) => {
    const directory = fresh();
    await expect(frozen(Buffer.concat(parts), directory)).rejects.toThrow(error);
    expect(existsSync(join(directory, '../evil'))).toBe(false);
    expect(existsSync('/evil')).toBe(false);
  });
});
