import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { ToolRoot } from './tools.ts';
import { listing } from './tree-listing.ts';

/** Deletes two files and so a directory, makes one of its name, edits in two places, makes directories, and moves a link. */
const PATCH = `diff --git a/d/one b/d/one
deleted file mode 100644
--- a/d/one
+++ /dev/null
@@ -1 +0,0 @@
-1
diff --git a/d/two b/d/two
deleted file mode 100644
--- a/d/two
+++ /dev/null
@@ -1 +0,0 @@
-2
diff --git a/d b/d
new file mode 100755
--- /dev/null
+++ b/d
@@ -0,0 +1 @@
+d
diff --git a/f b/f
--- a/f
+++ b/f
@@ -1 +1 @@
-f
+F
diff --git a/n/e/w b/n/e/w
new file mode 100644
--- /dev/null
+++ b/n/e/w
@@ -0,0 +1 @@
+w
diff --git a/l b/m
similarity index 100%
rename from l
rename to m
diff --git a/g b/g
old mode 100644
new mode 100755
--- a/g
+++ b/g
@@ -1 +1 @@
-g
+G
`;

/** Of all but directories: their own times are no part of it. */
const seen = (root: string) =>
  [...listing(root)].map(([path, what]) => [path, what.startsWith('4') ? what.split(' ')[0] : what]);

test('what a patch has done that was killed in the middle is undone, wherever that was', () => {
  using root = new ToolRoot();
  mkdirSync(root.at('d'));
  chmodSync(root.at('d'), 0o750);
  for (const [name, text] of Object.entries({ 'd/one': '1', 'd/two': '2', f: 'f', g: 'g' }))
    writeFileSync(root.at(name), `${text}\n`);
  symlinkSync('f', root.at('l'));
  const before = seen(root.path);
  const killed: number[] = [];
  // It needs no more than eight bytes of any file but its journal.
  for (let bytes = 8; ; bytes += 11) {
    const { code, stderr } = root.patchKilledAt(bytes, PATCH);
    if (code === 0) break;
    expect([code, stderr]).toEqual([null, '']);
    killed.push(bytes);
    const undone = root.undoPatch();
    expect([undone.code, undone.stderr]).toEqual([0, '']);
    // Once more does nothing.
    expect(root.undoPatch().code).toBe(0);
    rmSync(root.at('.aside'), { recursive: true });
    expect(seen(root.path), `killed at ${bytes} bytes`).toEqual(before);
  }
  expect(killed.length).toBeGreaterThan(10);
  expect(seen(root.path).map(([path]) => path)).toEqual(['.', 'd', 'f', 'g', 'm', 'n', 'n/e', 'n/e/w']);
});

/** What deletes `f` and was killed once it had: as it leaves it, `journal` being what it told of that. */
function leaveDeletion(root: ToolRoot, journal: string, name = 'journal'): void {
  mkdirSync(root.at('.aside'));
  writeFileSync(root.at('.aside/o0'), 'f\n');
  writeFileSync(root.at(`.aside/${name}`), journal);
}

const began = (root: ToolRoot) => `5 ${statSync(root.path).ino} 0\0\0\0`;
const took = (path: string, aside = 'o0') => `0 0 0\0${path}\0${aside}\0`;

test('a patch for one file that has deleted it is undone', () => {
  using root = new ToolRoot();
  leaveDeletion(root, began(root) + took('f'));
  expect(root.undoPatch('f')).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(root.at('f'), 'utf8')).toBe('f\n');
});

test('what was about to be told of is not undone, for it was not done', () => {
  using root = new ToolRoot();
  leaveDeletion(root, began(root) + took('f').slice(0, -1));
  expect(root.undoPatch()).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(root.at('f'))).toBe(false);
});

test('what was done to its end stays, and that is told', () => {
  using root = new ToolRoot();
  leaveDeletion(root, began(root) + took('f'), 'done');
  const { code, stdout } = root.undoPatch();
  expect([code, stdout.toString()]).toEqual([0, 'done']);
  expect(existsSync(root.at('f'))).toBe(false);
});

test.each([
  ['../f', 'o0'],
  ['d/../../f', 'o0'],
  ['/f', 'o0'],
  ['', 'o0'],
  ['f', '../kept'],
])(
  'a journal that a program wrote moves nothing out of the target or from beside it: %j, %j',
  (path, aside) => {
    using root = new ToolRoot();
    mkdirSync(root.at('t/d'), { recursive: true });
    writeFileSync(root.at('kept'), 'kept');
    leaveDeletion(root, `5 ${statSync(root.at('t')).ino} 0\0\0\0${took(path, aside)}`);
    const before = listing(root.path);
    expect(root.undoPatch('t').code).toBe(0);
    expect(listing(root.path)).toEqual(before);
  },
);

test.each([
  ['a link out of the target is not followed', (root: ToolRoot) => symlinkSync('/dev/shm', root.at('d'))],
  ['a directory that is gone is not made', () => {}],
])('%s', (_, prepare) => {
  using root = new ToolRoot();
  prepare(root);
  leaveDeletion(root, began(root) + took(`d/${basename(root.path)}-f`));
  expect(root.undoPatch().code).toBe(0);
  expect(existsSync(`${root.path}-f`)).toBe(false);
  expect(existsSync(root.at('.aside/o0'))).toBe(true);
});

test('what was done in another directory, or is no journal, is refused', () => {
  using root = new ToolRoot();
  leaveDeletion(root, `5 1 0\0\0\0${took('f')}`);
  expect(root.undoPatch()).toMatchObject({ code: 1, stderr: 'Its target is another by now\n' });
  writeFileSync(root.at('.aside/journal'), took('f'));
  expect(root.undoPatch().code).toBe(1);
  rmSync(root.at('.aside/journal'));
  mkdirSync(root.at('.aside/journal'));
  expect(root.undoPatch()).toMatchObject({ code: 1, stderr: 'Its journal is none\n' });
});
