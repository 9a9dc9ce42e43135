import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Watcher } from './watcher.ts';

/** What the agent's `watch` makes of what happens to files. */
let root: string;
beforeEach(() => {
  root = mkdtempSync('/dev/shm/codebeaker-watch-');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const sh = (script: string) => execFileSync('sh', ['-c', script], { cwd: root });

/** What is told of each script, all of which happens in one moment. */
async function told(watcher: Watcher, ...scripts: string[]): Promise<string[][]> {
  const all: string[][] = [];
  for (const [i, script] of scripts.entries()) {
    watcher.hold();
    sh(`${script}\ntouch end-${i}`);
    all.push(await watcher.letGo(`created end-${i}`));
  }
  return all;
}

describe('of what happens in one moment it tells what it comes to', () => {
  test.each([
    ['a new file', 'echo x > new', ['created new']],
    ['a file that is written to', 'echo x >> a/f; echo y >> a/f', ['modified a/f']],
    ['a file whose mode or time is another', 'chmod 600 a/f; touch -d @0 g', ['modified a/f', 'modified g']],
    [
      'a file that an editor writes beside and renames',
      'echo x > a/.f.tmp; mv a/.f.tmp a/f',
      ['modified a/f'],
    ],
    ['one that an editor puts aside, writes and clears up', 'mv g g~; echo x > g; rm g~', ['modified g']],
    ['a file that is made so', 'echo x > .n; mv .n n', ['created n']],
    ['what comes and goes', 'touch t; rm t; mkdir u; rmdir u', []],
    ['what goes and comes', 'rm g; echo x > g', ['modified g']],
    ['what is renamed, and again', 'mv g h; mv h i', ['renamed g i']],
    ['what is renamed and written to', 'mv g h; echo x >> h', ['renamed g h', 'modified h']],
    ['what is renamed back', 'mv g h; mv h g', []],
    ['two that change places', 'mv g t; mv a/f g; mv t a/f', ['modified g', 'modified a/f']],
    ['one that takes another’s place', 'mv g a/f', ['renamed g a/f']],
    [
      'a directory with what is in it',
      'mkdir -p n/m; echo x > n/m/x',
      ['created n', 'created n/m', 'created n/m/x'],
    ],
    ['a directory that is renamed', 'mv a b; echo x >> b/f', ['renamed a b', 'modified b/f']],
    [
      'one that is new and renamed',
      'mkdir n; touch n/x; mv n m',
      ['created n', 'created m/x', 'renamed n m'],
    ],
    ['a tree that is removed', 'rm -r a', ['deleted a/f', 'deleted a/d', 'deleted a']],
    ['a link, which is not followed', 'ln -s /etc l; ln g hard', ['created l', 'created hard']],
    ['a name that is no text', "touch $(printf 'caf\\351')", ['created caf\\xe9']],
    ['a name of two lines', "touch 'two\nlines'", ['created two\nlines']],
  ])('%s', async (_, script, expected) => {
    sh('mkdir -p a/d; echo x > a/f; echo x > g');
    using watcher = await Watcher.open(root);
    const [changes] = await told(watcher, script);
    expect(changes!.sort()).toEqual([...expected].sort());
  });
});

test('what is moved out is deleted, and what is moved in created, with all that it holds', async () => {
  sh('mkdir -p in/a/d out; touch in/a/f');
  using watcher = await Watcher.open(root, { path: `${root}/in` });
  watcher.hold();
  sh('mv in/a out');
  expect(await watcher.letGo('deleted a')).toEqual([]);
  watcher.hold();
  sh('touch out/a/g; mv out/a in; touch in/end');
  const changes = await watcher.letGo('created end');
  expect(changes.sort()).toEqual(['created a', 'created a/d', 'created a/f', 'created a/g']);
  watcher.hold();
  sh('touch in/a/d/x in/end2');
  expect(await watcher.letGo('created end2')).toEqual(['created a/d/x']);
});

test('what comes later is watched too, but where only the directory itself is', async () => {
  sh('mkdir a');
  using all = await Watcher.open(root);
  using one = await Watcher.open(root, { recursive: false });
  const scripts = ['mkdir -p n/m', 'touch n/m/x a/y', 'mv n nn', 'touch nn/m/z'];
  const [, touched, , later] = await told(all, ...scripts);
  expect(touched!.sort()).toEqual(['created a/y', 'created n/m/x']);
  expect(later).toEqual(['created nn/m/z']);
  expect(one.told.filter(each => !each.includes('end-'))).toEqual(['created n', 'renamed n nn']);
});

test('a single file is watched whatever takes its place, until its directory is gone', async () => {
  sh('mkdir a; echo x > a/f');
  using watcher = await Watcher.open(root, { path: `${root}/a/f` });
  const steps = ['echo y >> a/f; touch a/other', 'echo y > a/n; mv a/n a/f', 'mv a/f a/g', 'touch a/f'];
  for (const [i, step] of steps.entries()) {
    watcher.hold();
    sh(step);
    await watcher.letGo(['modified', 'modified', 'deleted', 'created'][i]!);
  }
  sh('rm -r a');
  expect(await watcher.exited).toEqual([0, null]);
  expect(watcher.told).toEqual(['deleted']);
});

test('the end of what is watched is told, removed or moved away', async () => {
  for (const end of ['rm -r a', 'mv a b']) {
    sh('mkdir -p a');
    using watcher = await Watcher.open(root, { path: `${root}/a` });
    sh(end);
    expect(await watcher.exited).toEqual([0, null]);
    expect(watcher.told).toEqual(['deleted']);
  }
});

test.each([
  ['none', 'File not found'],
  ['out', 'Path leaves'],
  ['pipe', 'Neither a file nor a directory'],
  ['many', 'Too many directories to watch: over 10'],
])('%s is refused', async (path, sentence) => {
  symlinkSync('/etc', `${root}/out`);
  sh('mkfifo pipe; mkdir many; cd many; mkdir 1 2 3 4 5 6 7 8 9 10');
  using watcher = await Watcher.open(root, { path: `${root}/${path}`, most: 10 });
  expect(await watcher.exited).toEqual([1, null]);
  expect(watcher.words).toContain(sentence);
});

test('one directory too many ends it, after all before was told', async () => {
  sh('mkdir a');
  using watcher = await Watcher.open(root, { most: 3 });
  watcher.hold();
  sh('touch f; mkdir b c');
  await watcher.letGo('created f');
  expect(await watcher.exited).toEqual([1, null]);
  expect(watcher.words).toContain('Too many directories to watch: over 3');
});

test('more than the kernel keeps is told as an overflow, and all after it again', async () => {
  sh('mkdir a');
  using watcher = await Watcher.open(root);
  watcher.hold();
  sh('cd a; seq 40000 | xargs touch; seq 20000 | xargs rm; mkdir later');
  await watcher.letGo('overflow');
  const [after] = await told(watcher, 'touch a/later/x a/after; rm a/30000; mv a/30001 a/moved');
  expect(after!.sort()).toEqual([
    'created a/after',
    'created a/later/x',
    'deleted a/30000',
    'renamed a/30001 a/moved',
  ]);
  expect(watcher.residentBytes).toBeLessThan(256 << 20);
});

test('ten thousand directories are watched in little memory', async () => {
  for (let i = 0; i < 100; i++)
    for (let j = 0; j < 100; j++) mkdirSync(`${root}/${i}/${j}`, { recursive: true });
  using watcher = await Watcher.open(root, { build: 'shipped' });
  const [one] = await told(watcher, 'touch 0/0/x 99/99/x; mv 50 fifty; touch fifty/50/x');
  expect(one!.sort()).toEqual(['created 0/0/x', 'created 99/99/x', 'created fifty/50/x', 'renamed 50 fifty']);
  expect(watcher.residentBytes).toBeLessThan(8 << 20);
});

test('a tree deeper than a path can be is no reason to end', async () => {
  const name = 'd'.repeat(200);
  sh(`for i in $(seq 30); do mkdir ${name}; cd ${name}; done; touch x`);
  using watcher = await Watcher.open(root);
  const [changes] = await told(watcher, `touch ${name}/y`);
  expect(changes).toEqual([`created ${name}/y`]);
  writeFileSync(`${root}/last`, '');
});
