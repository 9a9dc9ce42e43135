import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { sandboxes } from '../support/matrix.ts';

/** `stat`, `diff` and `apply_patch`, as a client has them. */
const server = inject('server');

describe.for(await sandboxes())('a session of $name', ({ language, runtimeType }) => {
  test('tells texts, files and trees apart, and applies what it has told', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    const read = async (path: string) => (await session.done('read_file', { path })).content;
    await write('d/f.txt', 'one\ntwo\nthree\n');

    const stat = await session.done('stat', { path: 'd/f.txt' });
    const modifiedAt = expect.stringMatching(/^\d{4}-.*Z$/);
    const path = '/workspace/d/f.txt';
    expect(stat).toEqual({ name: 'f.txt', path, type: 'file', size: 14, mode: 0o644, modifiedAt });

    const changed = 'one\n2\nthree\nfour\n';
    const told = await session.done('diff', { originalPath: 'd/f.txt', modifiedContent: changed });
    expect(told).toEqual({
      diff: '--- a/d/f.txt\n+++ b/d/f.txt\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n',
      added: 2,
      removed: 1,
      identical: false,
      binary: false,
    });
    const files = [{ path, action: 'modified', added: 2, removed: 1, offset: 0, fuzz: 0 }];
    const patch = told.diff;
    expect(await session.done('apply_patch', { patch, dryRun: true })).toEqual({ applied: false, files });
    expect(await read('d/f.txt')).toBe('one\ntwo\nthree\n');
    expect(await session.done('apply_patch', { patch })).toEqual({ applied: true, files });
    expect(await read('d/f.txt')).toBe(changed);

    const more = `${patch}--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n`;
    expect(await session.command('apply_patch', { patch: more })).toMatchObject({
      success: false,
      result: null,
      error:
        'd/f.txt: hunk 1 (line 3 of the patch) fits neither at line 2 nor elsewhere: that line is “2”, not “two”',
    });
    await session.done('apply_patch', { patch, reverse: true });

    await write('e/f.txt', 'one\n');
    await session.done('write_file', { path: 'e/x.bin', content: 'AP8=', encoding: 'base64' });
    const trees = await session.done('diff', { originalPath: 'd', modifiedPath: 'e' });
    expect(trees).toMatchObject({ added: 0, removed: 2, identical: false, binary: true });
    const applied = await session.done('apply_patch', { patch: trees.diff, targetPath: 'd' });
    expect(applied.files).toMatchObject([
      { action: 'modified' },
      { path: '/workspace/d/x.bin', action: 'created' },
    ]);
    const again = await session.done('diff', { originalPath: 'd', modifiedPath: 'e' });
    expect(again).toEqual({ diff: '', added: 0, removed: 0, identical: true, binary: false });

    const { entries } = await session.done('list_directory', { recursive: true, includeHidden: true });
    expect(entries.map((entry: { path: string }) => entry.path).sort()).toEqual([
      'd',
      'd/f.txt',
      'd/x.bin',
      'e',
      'e/f.txt',
      'e/x.bin',
    ]);
  });

  test('names the bad field, and refuses what leaves /workspace', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const refused = (command: object) =>
      session.client.refused('session.execute', { sessionId: session.id, command });
    expect((await refused({ type: 'diff', originalPath: '../x', modifiedContent: '' })).message).toMatch(
      /originalPath/,
    );
    expect((await refused({ type: 'diff', originalPath: 'x' })).message).toMatch(/modifiedPath: missing/);
    expect((await refused({ type: 'apply_patch', patch: 'x', targetPath: '/etc' })).message).toMatch(
      /targetPath/,
    );
    expect((await refused({ type: 'stat', path: '' })).message).toMatch(/path/);
    const hunk = '@@ -0,0 +1 @@\n+x\n';
    const apply = async (patch: string, fields = {}) =>
      (await session.command('apply_patch', { patch, ...fields })).error;
    expect(await apply(`--- a/../tmp/x\n+++ b/../tmp/x\n${hunk}`)).toMatch(/not below the target/);
    expect(await apply('no patch')).toBe('Nothing in the patch is in the unified format of diff -u or git');
    const link =
      'diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+/tmp\n\\ No newline at end of file\n';
    expect(await session.done('apply_patch', { patch: link })).toMatchObject({ applied: true });
    expect(await session.done('stat', { path: 'out' })).toMatchObject({ type: 'symlink', target: '/tmp' });
    expect(await apply(`--- a/out/x\n+++ b/out/x\n${hunk}`)).toBe(
      'out/x: a part of its path is a symbolic link',
    );
    expect(await apply(`--- a/x\n+++ b/x\n${hunk}`, { targetPath: 'out' })).toMatch(
      /^Path leaves \/workspace/,
    );
    const outside = await session.command('diff', { originalPath: 'out', modifiedContent: '' });
    expect(outside).toMatchObject({
      success: false,
      error: expect.stringMatching(/^Path leaves \/workspace/),
    });
  });
});
