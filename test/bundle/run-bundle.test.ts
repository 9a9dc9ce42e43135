import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBundle } from '../../src/bundle/run-bundle.mjs';

declare global {
  var ofBundle: unknown;
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'codebeaker-run-bundle-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = (says: string) =>
  `(async function (__meta) { 'use strict'; const later = () => [${JSON.stringify(says)}, __meta.dirname, __meta.resolve('x')];\nglobalThis.ofBundle = later(); })`;

/** What the bundle tells, and which file is kept then. */
async function run(bundle: string) {
  writeFileSync(join(root, 'server.mjs'), bundle);
  globalThis.ofBundle = undefined;
  const resolve = (name: string) => `resolved ${name}`;
  await runBundle(pathToFileURL(join(root, 'server.mjs')).href, { directory: root, resolve });
  const [kept] = readdirSync(root).filter(name => name !== 'server.mjs');
  const path = join(root, kept!);
  return { said: globalThis.ofBundle, path, made: statSync(path).ino };
}

test('what is compiled when a bundle has run is kept, and used as long as both are what they were', async () => {
  const first = await run(text('one'));
  expect(first.said).toEqual(['one', root, 'resolved x']);
  expect(statSync(first.path).mode & 0o077).toBe(0);
  expect(await run(text('one'))).toEqual(first);
  // Of the same length, by which alone V8 would know it.
  const other = await run(text('two'));
  expect(other.said).toEqual(['two', root, 'resolved x']);
  expect(other.made).not.toBe(first.made);
  const damaged = readFileSync(other.path);
  damaged[damaged.length - 9]! ^= 1;
  writeFileSync(other.path, damaged);
  const mended = await run(text('two'));
  expect(mended.said).toEqual(other.said);
  expect(readFileSync(mended.path)).not.toEqual(damaged);
  expect(readdirSync(root)).toHaveLength(2);
});

test('one that can be kept nowhere runs all the same', async () => {
  writeFileSync(join(root, 'server.mjs'), text('three'));
  const url = pathToFileURL(join(root, 'server.mjs')).href;
  await runBundle(url, { directory: join(root, 'nowhere'), resolve: name => name });
  expect(globalThis.ofBundle).toEqual(['three', root, 'x']);
});

test('nothing is left of what can’t be kept', async () => {
  writeFileSync(join(root, 'server.mjs'), text('four'));
  mkdirSync(join(root, `server-${cachedDataVersionTag()}`, 'in the way'), { recursive: true });
  const url = pathToFileURL(join(root, 'server.mjs')).href;
  await runBundle(url, { directory: root, resolve: name => name });
  expect(globalThis.ofBundle).toEqual(['four', root, 'x']);
  expect(readdirSync(root)).toHaveLength(2);
});
