import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentFile } from './builds.ts';
import { run, ToolRoot } from './tools.ts';

/** Files anywhere, as `agent entry` tells of them and changes them; with sanitizers. */
const entry = (...words: (string | number)[]) => run([agentFile('sanitized'), 'entry', ...words.map(String)]);
const fields = ({ stdout }: { stdout: Buffer }) => stdout.toString().split('\0').slice(0, -1);

test('a listing has what is in a directory, level by level in the order of names, and no more of it', () => {
  using root = new ToolRoot();
  mkdirSync(root.at('b/deep/er'), { recursive: true });
  writeFileSync(root.at('a'), 'four');
  chmodSync(root.at('a'), 0o4640);
  symlinkSync('a', root.at('link'));
  symlinkSync('nowhere', root.at('lost'));
  const names = (depth: number) =>
    fields(entry('list', depth, root.path)).filter(field => field.startsWith(`${root.path}/`));
  expect(names(1)).toEqual(['a', 'b', 'link', 'a', 'lost'].map(name => root.at(name)));
  expect(names(2)).toEqual(['a', 'b', 'b/deep', 'link', 'a', 'lost'].map(name => root.at(name)));
  expect(names(999)).toContain(root.at('b/deep/er'));
  const [type, size, mode, time, path, target, metadata] = fields(entry('list', 0, root.at('a')));
  expect([type, size, mode, path, target, metadata]).toEqual(['f', '4', '4640', root.at('a'), '', '0']);
  expect(time).toMatch(/^\d+\.\d{9}$/);
  expect(fields(entry('list', 0, root.at('lost')))).toEqual(expect.arrayContaining(['l', 'nowhere']));
});

test('a write is whole or not at all, keeps permissions and follows a link', () => {
  using root = new ToolRoot();
  const write = (path: string, content: string, mode = 0) =>
    run([agentFile('sanitized'), 'entry', 'write', path, String(mode)], content);
  expect(fields(write(root.at('new/er/file'), 'one'))[0]).toBe('1');
  chmodSync(root.at('new/er/file'), 0o600);
  symlinkSync('new/er/file', root.at('link'));
  const [made, , , mode] = fields(write(root.at('link'), 'two'));
  expect([made, mode, readFileSync(root.at('new/er/file'), 'utf8')]).toEqual(['0', '777', 'two']);
  expect(fields(entry('list', 0, root.at('new/er/file')))[2]).toBe('600');
  expect(write(root.at('new'), 'x').stderr).toBe(`4 Is a directory: ${root.at('new')}\n`);
  expect(write('/proc/x', 'x').code).toBe(1);
});

test.for([
  ['list', [0, '/nowhere'], '2 File not found: /nowhere\n'],
  ['list', [1, '/etc/passwd'], '4 Not a directory: /etc/passwd\n'],
  ['make', ['/etc'], '3 File exists: /etc\n'],
  ['make', ['/etc/passwd/x'], '4 Not a directory: /etc/passwd/x\n'],
  ['move', ['/nowhere', '/tmp/x'], '2 File not found: /nowhere\n'],
  ['read', ['/etc', 0, 1], '4 Is a directory: /etc\n'],
  ['read', ['/etc/hostname', 0, 1_000_000], '1 It has become shorter: /etc/hostname\n'],
  ['mark', ['/nowhere'], '2 File not found: /nowhere\n'],
] as const)('what can’t be done is told with its kind: %s %j', ([operation, words, why]) => {
  expect(entry(operation, ...words)).toMatchObject({ code: 1, stderr: why });
});

test('directories are made with those above, moved to where none are, and removed with all in them', () => {
  using root = new ToolRoot();
  expect(entry('make', root.at('a/b/c')).code).toBe(0);
  writeFileSync(root.at('a/b/c/file'), 'x');
  expect(entry('move', root.at('a/b'), root.at('x/y/z')).code).toBe(0);
  expect(entry('read', root.at('x/y/z/c/file'), 0, 1).stdout.toString()).toBe('x');
  for (let i = 0; i < 2; i++) expect(entry('remove', root.at('x')).code).toBe(0);
  expect(entry('list', 1, root.path).stdout.toString()).not.toContain(root.at('x'));
});
