import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { files, ToolRoot } from './tools.ts';

/** Patches that a client may send: what they do, and why they are refused. */
let root: ToolRoot;
beforeEach(() => {
  root = new ToolRoot();
});
afterEach(() => root[Symbol.dispose]());

const write = (name: string, content: string) => writeFileSync(root.at(name), content);
const read = (name: string) => readFileSync(root.at(name), 'utf8');
const refusal = (patch: string | Uint8Array, options = {}) => {
  const { code, stderr } = root.patch(patch, options);
  expect(code).toBe(1);
  return stderr.trim();
};
const applied = (patch: string | Uint8Array, options = {}) => {
  const ran = root.patch(patch, options);
  expect(ran.stderr).toBe('');
  return files(ran).map(file => ({ ...file, path: file.path.replace(root.path, '') }));
};
const plain = (name: string, hunks: string) => `--- a/${name}\n+++ b/${name}\n${hunks}`;
const ONE_TO_2 = '@@ -1 +1 @@\n-one\n+2\n';

test('what came of each file is told', () => {
  mkdirSync(root.at('d'));
  write('d/old', 'one\ntwo\n');
  write('gone', 'one\n');
  write('f', 'a\nb\nc\nx\none\ny\n');
  const rename =
    'diff --git a/d/old b/d/new\nold mode 100644\nnew mode 100755\nsimilarity index 50%\nrename from d/old\nrename to d/new\n' +
    '--- a/d/old\n+++ b/d/new\n@@ -1,2 +1,3 @@\n one\n two\n+three\n';
  const made =
    'diff --git a/n/m b/n/m\nnew file mode 100755\nindex 0000000..1234567\n--- /dev/null\n+++ b/n/m\n@@ -0,0 +1 @@\n+made\n';
  const gone =
    'diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n';
  const moved = plain('f', '@@ -2,3 +2,3 @@\n x\n-one\n+2\n y\n');
  expect(applied(`A mail\n\n${rename}${made}${gone}${moved}-- \n2.39.5\n`)).toEqual([
    { path: '/d/new', action: 'renamed', added: 1, removed: 0, offset: 0, fuzz: 0 },
    { path: '/n/m', action: 'created', added: 1, removed: 0, offset: 0, fuzz: 0 },
    { path: '/gone', action: 'deleted', added: 0, removed: 1, offset: 0, fuzz: 0 },
    { path: '/f', action: 'modified', added: 1, removed: 1, offset: 2, fuzz: 0 },
  ]);
  expect(readdirSync(root.path).sort()).toEqual(['d', 'f', 'n']);
  expect([read('d/new'), statSync(root.at('d/new')).mode & 0o777]).toEqual(['one\ntwo\nthree\n', 0o755]);
  expect([read('n/m'), statSync(root.at('n/m')).mode & 0o777]).toEqual(['made\n', 0o755]);
  expect(read('f')).toBe('a\nb\nc\nx\n2\ny\n');
});

test('a hunk that does not fit is told with its file, number and line, and nothing of the patch is applied', () => {
  write('f', 'one\n');
  write('g', 'uno\ndos\n');
  const patch =
    plain('f', ONE_TO_2) + plain('new', '@@ -0,0 +1 @@\n+x\n') + plain('g', '@@ -2 +2 @@\n-two\n+2\n');
  expect(refusal(patch)).toBe(
    'g: hunk 1 (line 12 of the patch) fits neither at line 2 nor elsewhere: that line is “dos”, not “two”',
  );
  expect([read('f'), readdirSync(root.path).sort()]).toEqual(['one\n', ['f', 'g']]);
});

test('a failure while files are put into their places puts all back', () => {
  mkdirSync(root.at('empty'), 0o700);
  write('f', 'one\n');
  write('empty/gone', 'one\n');
  chmodSync(root.at('f'), 0o640);
  const link =
    'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/tmp\n\\ No newline at end of file\n';
  const through =
    'diff --git a/l/x b/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+x\n';
  const gone = '--- a/empty/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n';
  expect(
    refusal(plain('f', ONE_TO_2) + gone + plain('d/e/f', '@@ -0,0 +1 @@\n+x\n') + link + through),
  ).toMatch(/^A part of its path is no directory: l\/x$/);
  expect(readdirSync(root.path).sort()).toEqual(['empty', 'f']);
  expect([read('f'), statSync(root.at('f')).mode & 0o777]).toEqual(['one\n', 0o640]);
  expect([read('empty/gone'), statSync(root.at('empty')).mode & 0o777]).toEqual(['one\n', 0o700]);
});

test('no name leads out of the target, nor through a link', () => {
  mkdirSync(root.at('d'));
  write('d/f', 'one\n');
  symlinkSync('d', root.at('inside'));
  symlinkSync('/tmp', root.at('outside'));
  for (const name of ['../f', 'd/../../f', '', 'x'.repeat(300), `${'d/'.repeat(2100)}f`])
    expect(refusal(`--- a/${name}\n+++ b/${name}\n@@ -0,0 +1 @@\n+x\n`), name).toMatch(
      /^The patch names a file /,
    );
  expect(refusal('--- "a/../\\146"\n+++ "b/../\\146"\n@@ -1 +1 @@\n-a\n+b\n')).toMatch(
    /not below the target/,
  );
  const absolute = '--- /etc/f\n+++ /etc/f\n@@ -0,0 +1 @@\n+x\n';
  expect(refusal(absolute, { strip: 0 })).toMatch(/not below the target, or too long: \/etc\/f/);
  for (const name of ['inside/f', 'outside/x'])
    expect(refusal(plain(name, '@@ -0,0 +1 @@\n+x\n'))).toBe(
      `${name}: a part of its path is a symbolic link`,
    );
  expect(refusal(plain('inside', ONE_TO_2))).toBe('inside: it is a symbolic link');
  const rename = 'diff --git a/d/f b/../f\nsimilarity index 100%\nrename from d/f\nrename to ../f\n';
  expect(refusal(rename)).toMatch(/not below the target, or too long: ..\/f/);
  expect(refusal(plain('f', ONE_TO_2), { target: 'outside' })).toMatch(
    /^Path leaves .* through a symbolic link/,
  );
  expect(applied(plain('f', ONE_TO_2), { target: 'inside' })).toMatchObject([{ path: '/inside/f' }]);
  expect(read('d/f')).toBe('2\n');
  expect(readlinkSync(root.at('inside'))).toBe('d');
});

test('names that are no UTF-8 are spelled as everywhere', () => {
  const name = Buffer.from(`${root.at('caf')}\xe9`, 'latin1');
  writeFileSync(name, 'one\n');
  const patch = plain('f', ONE_TO_2).replace(/([ab])\/f/g, '"$1/caf\\351"');
  expect(applied(patch)).toMatchObject([{ path: '/caf\\xe9' }]);
  expect(root.diff('caf\\xe9', { text: '3\n' }).stdout.toString()).toContain('--- "a/caf\\351"\n');
  write('x\\xe9', 'one\n');
  expect(applied(plain('x\\xe9', ONE_TO_2))).toMatchObject([{ path: '/x\\x5cxe9' }]);
  expect(readFileSync(name, 'utf8')).toBe('2\n');
});

test('the target may be the one file that the patch is for, under any name or none', () => {
  write('f', 'one\n');
  const patch = plain('other/name', ONE_TO_2);
  expect(applied(patch, { target: 'f' })).toMatchObject([{ path: '/f', action: 'modified' }]);
  expect(applied(ONE_TO_2, { target: 'f', reverse: true })).toMatchObject([{ path: '/f' }]);
  expect(read('f')).toBe('one\n');
  expect(refusal(ONE_TO_2)).toBe('The patch does not say for which file its hunk at line 1 is');
  expect(refusal(patch + patch, { target: 'f' })).toMatch(/is a file, and the patch is for 2$/);
  expect(refusal(patch, { target: 'nothing' })).toMatch(/^File not found: .*\/nothing$/);
});

test('a patch for another kind of line ends says so, and one that came with its own is read both ways', () => {
  write('dos', 'one\r\ntwo\r\n');
  write('unix', 'one\ntwo\n');
  const hunk = '@@ -1,2 +1,2 @@\n one\n-two\n+2\n';
  expect(refusal(plain('dos', hunk))).toMatch(/its lines end otherwise \(CRLF\)$/);
  const carried = (name: string) => plain(name, hunk).replaceAll('\n', '\r\n');
  applied(carried('dos'));
  applied(carried('unix'));
  expect([read('dos'), read('unix')]).toEqual(['one\r\n2\r\n', 'one\n2\n']);
});

test('a file without a last newline keeps, gets or loses it as the patch says', () => {
  write('f', 'one\ntwo');
  const without = '\\ No newline at end of file\n';
  applied(plain('f', `@@ -1,2 +1,2 @@\n-one\n+1\n two\n${without}`));
  expect(read('f')).toBe('1\ntwo');
  applied(plain('f', `@@ -1,2 +1,2 @@\n 1\n-two\n${without}+two\n`));
  expect(read('f')).toBe('1\ntwo\n');
  applied(plain('f', `@@ -1,2 +1,2 @@\n 1\n-two\n+two\n${without}`));
  expect(read('f')).toBe('1\ntwo');
});

test('a file that is not there has the time 0 in any zone; a time is told from a name also by blanks', () => {
  const hunk = '@@ -0,0 +1 @@\n+x\n';
  const patch = (apart: string, time: string) =>
    `--- a/n w${apart}${time}\n+++ b/n w${apart}2024-02-29 10:11:12.5 +0100\n${hunk}`;
  const times = ['00:00:00.000000000 +0000', '05:30:00 +05:30', '00:00:00'].map(time => `1970-01-01 ${time}`);
  for (const time of [...times, '1969-12-31 16:00:00 -08:00'])
    for (const apart of ['\t', '     ']) {
      expect(applied(patch(apart, time)), time).toMatchObject([{ path: '/n w', action: 'created' }]);
      expect(applied(patch(apart, time), { reverse: true }), time).toMatchObject([{ action: 'deleted' }]);
    }
  write('n w', '');
  for (const time of ['00:00:01 +0000', '00:00:00.5 +0000', '00:00:00 +0100', '16:00:00 -0800'])
    for (const reverse of [false, true])
      expect(applied(patch('\t', `1970-01-01 ${time}`), { reverse }), time).toMatchObject([
        { path: '/n w', action: 'modified' },
      ]);
  const subversion = `diff --git a/n w\ndeleted file mode 100644\n--- a/n w\t(revision 3)\n+++ /dev/null\t(nonexistent)\n@@ +1 0,0 @@\n-\n`;
  expect(applied(subversion)).toMatchObject([{ path: '/n w', action: 'deleted' }]);
});

test('patches of several commits follow one another, and a swap of two names is one', () => {
  write('a', 'one\n');
  write('b', 'b\n');
  const rename = (from: string, to: string) =>
    `diff --git a/${from} b/${to}\nsimilarity index 100%\nrename from ${from}\nrename to ${to}\n`;
  applied(rename('a', 'b') + rename('b', 'a'));
  expect([read('a'), read('b')]).toEqual(['b\n', 'one\n']);
  applied(plain('b', ONE_TO_2) + rename('b', 'c') + plain('c', '@@ -1 +1 @@\n-2\n+three\n'));
  expect([read('c'), existsSync(root.at('b'))]).toEqual(['three\n', false]);
});

test('a file that is there is not made again, nor one deleted that holds more than the patch says', () => {
  write('f', 'one\nmore\n');
  expect(refusal('--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n')).toBe('f: it exists already');
  expect(refusal('--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n')).toMatch(/^f: /);
  expect(refusal(plain('nothing', ONE_TO_2))).toBe('File not found: nothing');
  mkdirSync(root.at('d'));
  expect(refusal(plain('d', ONE_TO_2))).toBe('d: not a regular file');
  expect(read('f')).toBe('one\nmore\n');
});

test.each([
  ['nothing in it', 'no patch', /^Nothing in the patch is in the unified format/],
  [
    'a hunk that is cut off',
    '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n',
    /broken at line 5: .* shorter than its header/,
  ],
  [
    'a hunk that is too long',
    '--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n one\n+x\n',
    /broken at line 5: .* longer than its header/,
  ],
  ['a line with no sign', '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\ntwo\n', /broken at line 5: neither kept/],
  [
    'a later hunk whose numbers are too large',
    plain('f', `${ONE_TO_2}@@ -99999999999 +99999999999 @@\n-x\n+y\n`),
    /broken at line 6: a hunk begins with/,
  ],
  ['a hunk without numbers', plain('f', '@@ … @@\n-one\n+2\n'), /broken at line 3: a hunk begins with/],
  ['a diff of three', plain('f', '@@@ -1 -1 +1 @@@\n--one\n++2\n'), /broken at line 3: a hunk begins with/],
  [
    'two names of one file',
    `diff --git a/f b/f\n--- a/f\n+++ b/g\n${ONE_TO_2}`,
    /broken at line 3: the file has another name here/,
  ],
  ['a mode that is none', 'diff --git a/f b/f\nnew file mode 100999\n', /broken at line 2: the mode/],
  ['a submodule', 'diff --git a/f b/f\nnew file mode 160000\n', /broken at line 2: the mode/],
  ['names that differ', 'diff --git a/f b/g\nold mode 100644\nnew mode 100755\n', /does not say which file/],
  [
    'too few directories',
    '--- f\n+++ f\n@@ -1 +1 @@\n-one\n+2\n',
    /fewer directories than are to be stripped: f \(line 1/,
  ],
  [
    'binary files that only differ',
    'diff --git a/f b/f\nBinary files a/f and b/f differ\n',
    /^f: .* but not how$/,
  ],
  [
    'bytes that are no base 85',
    'diff --git a/f b/f\nGIT binary patch\nliteral 3\nKcmZ""\n\n',
    /^f: its binary patch is broken$/,
  ],
  [
    'a length that is a lie',
    'diff --git a/f b/f\nGIT binary patch\nliteral 400000000\nKcmZQzWB>pF0ssI20RR91\n\n',
    /^f: its binary patch is broken$/,
  ],
])('a patch with %s is refused with where and why', (_, patch, sentence) => {
  write('f', 'one\n');
  expect(refusal(patch)).toMatch(sentence);
  expect([read('f'), readdirSync(root.path)]).toEqual(['one\n', ['f']]);
});

test('a binary patch is applied both ways, and to no other content', () => {
  const [before, after] = [Buffer.from([0, 255, 1]), Buffer.alloc(5000, 7)];
  writeFileSync(root.at('f'), before);
  writeFileSync(root.at('g'), after);
  const diff = root.diff('f', 'g');
  expect(JSON.parse(diff.stderr)).toEqual({ added: 0, removed: 0, identical: false, binary: true });
  applied(diff.stdout);
  expect(readFileSync(root.at('f')).equals(after)).toBe(true);
  expect(refusal(diff.stdout)).toMatch(/^f: the binary patch is for another content/);
  applied(diff.stdout, { reverse: true });
  expect(readFileSync(root.at('f')).equals(before)).toBe(true);
});

test('texts are compared under the name of the file they are compared with', () => {
  write('f', 'one\n');
  expect(root.diff('f', { text: 'one\ntwo\n' }).stdout.toString()).toBe(
    plain('f', '@@ -1 +1,2 @@\n one\n+two\n'),
  );
  expect(root.diff({ text: 'é' }, { text: 'é\n' }).stdout.toString()).toBe(
    '--- a/original\n+++ b/modified\n@@ -1 +1 @@\n-é\n\\ No newline at end of file\n+é\n',
  );
  expect(JSON.parse(root.diff('f', { text: 'one\n' }).stderr)).toMatchObject({ identical: true, added: 0 });
  mkdirSync(root.at('d'));
  expect(root.diff('d', 'f').stderr).toMatch(/^Not a directory: .*\/f\n$/);
  expect(root.diff('d', { text: '' }).stderr).toMatch(/^Is a directory: .*\/d\n$/);
});
