import { describe, expect, it } from 'vitest';
import { FileRefused, SandboxLost } from '../../../src/sandbox.ts';
import { standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { ends } from '../support/scripts.ts';

standStill();

/** A session with some files. */
async function withFiles(contents: Record<string, string> = {}) {
  const { session, runtime, ...rest } = openService({ script: ends() });
  const opened = await session();
  const { files } = runtime.last;
  for (const [path, text] of Object.entries(contents))
    await files.write(`/workspace/${path}`, Buffer.from(text));
  const ask = async (type: string, fields: object = {}) => (await opened.execute({ type, ...fields })).result;
  return { ...rest, ...opened, runtime, files, ask };
}

describe('write_file', () => {
  it('writes below /workspace and counts bytes, not characters', async () => {
    const { ask, files } = await withFiles();
    expect(await ask('write_file', { path: 'a/é.txt', content: '€' })).toMatchObject({
      success: true,
      result: { path: '/workspace/a/é.txt', bytes: 3 },
      error: null,
    });
    expect(files.text('/workspace/a/é.txt')).toBe('€');
  });

  it.each([
    ['Create', 'new'],
    ['Append', 'oldnew'],
    ['Overwrite', 'new'],
    [undefined, 'new'],
  ])('in mode %s makes of what is there %j', async (mode, text) => {
    const { ask, files } = await withFiles({ a: 'old' });
    await ask('write_file', { path: 'a', content: 'new', ...(mode && { mode }) });
    expect(files.text('/workspace/a')).toBe(text);
  });

  it('writes the bytes that base64 stands for', async () => {
    const { ask, files } = await withFiles();
    await ask('write_file', { path: 'a', content: '/wA=', encoding: 'base64' });
    expect([...files.contents.get('/workspace/a')!]).toEqual([255, 0]);
  });

  it.each(['/w=', '_w==', 'a', '/w==\n'])('refuses %j as base64, and names the field', async content => {
    const { ask } = await withFiles();
    await expect(ask('write_file', { path: 'a', content, encoding: 'base64' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      field: 'command.content',
      message: 'command.content: is not base64',
    });
  });

  it('names the field where a nested command has it', async () => {
    const { execute } = await withFiles();
    const command = { type: 'write_file', params: { path: '../a', content: '' } };
    await expect(execute(command)).rejects.toMatchObject({ field: 'command.params.path' });
  });

  it('says that the disk is full in its answer', async () => {
    const { ask, files } = await withFiles();
    files.refusal = new FileRefused('No space left: /workspace/a');
    expect(await ask('write_file', { path: 'a', content: 'x' })).toMatchObject({
      success: false,
      result: null,
      error: 'No space left: /workspace/a',
    });
  });
});

describe('read_file', () => {
  it.each([
    [{}, 'héllo', 6],
    [{ offset: 3 }, 'llo', 3],
    [{ offset: 0, length: 1 }, 'h', 1],
    [{ length: 0 }, '', 0],
    [{ offset: 100 }, '', 0],
  ])('with %j reads %j', async (part, content, bytes) => {
    const { ask } = await withFiles({ a: 'héllo' });
    expect((await ask('read_file', { path: 'a', ...part })).result).toEqual({
      content,
      bytes,
      encoding: 'utf8',
    });
  });

  it('gives bytes as base64', async () => {
    const { ask, files } = await withFiles();
    await files.write('/workspace/a', Uint8Array.of(255, 0));
    expect((await ask('read_file', { path: 'a', encoding: 'base64' })).result).toMatchObject({
      content: '/wA=',
      bytes: 2,
    });
  });

  it.each([
    ['nothing', 'File not found: /workspace/nothing'],
    ['dir', 'Is a directory: /workspace/dir'],
  ])('of %s says why not', async (path, error) => {
    const { ask } = await withFiles({ 'dir/a': '' });
    expect(await ask('read_file', { path })).toMatchObject({ success: false, error });
  });

  it.each(['/etc/passwd', '../x', '', 'a\0', '.'])('refuses the path %j by its text', async path => {
    const { ask } = await withFiles();
    await expect(ask('read_file', { path })).rejects.toMatchObject({ field: 'command.path' });
  });
});

describe.each([
  ['copy_file', true],
  ['move_file', false],
])('%s', (type, stays) => {
  it(`puts a file elsewhere; that it stays is ${stays}`, async () => {
    const { ask, files } = await withFiles({ a: 'abc' });
    expect(await ask(type, { sourcePath: 'a', destinationPath: 'b/c' })).toMatchObject({
      result: { sourcePath: '/workspace/a', destinationPath: '/workspace/b/c', bytes: 3 },
    });
    expect(files.text('/workspace/b/c')).toBe('abc');
    expect(files.text('/workspace/a') !== undefined).toBe(stays);
  });

  it('replaces what is there unless told not to', async () => {
    const { ask, files } = await withFiles({ a: 'new', b: 'old' });
    expect(await ask(type, { sourcePath: 'a', destinationPath: 'b', overwrite: false })).toMatchObject({
      success: false,
      error: 'File exists: /workspace/b',
    });
    expect(files.text('/workspace/b')).toBe('old');
    await ask(type, { sourcePath: 'a', destinationPath: 'b' });
    expect(files.text('/workspace/b')).toBe('new');
  });

  it.each([
    ['sourcePath', { sourcePath: '/x', destinationPath: 'b' }],
    ['destinationPath', { sourcePath: 'a', destinationPath: '..' }],
  ])('refuses a %s outside of /workspace', async (field, fields) => {
    const { ask } = await withFiles({ a: '' });
    await expect(ask(type, fields)).rejects.toMatchObject({ field: `command.${field}` });
  });
});

describe('delete_file', () => {
  it('deletes a file', async () => {
    const { ask, files } = await withFiles({ a: '' });
    expect((await ask('delete_file', { path: 'a' })).result).toEqual({
      path: '/workspace/a',
      deleted: true,
    });
    expect(files.contents.size).toBe(0);
  });

  it('deletes a directory with what is in it only when told so', async () => {
    const { ask, files } = await withFiles({ 'd/a': '' });
    expect(await ask('delete_file', { path: 'd' })).toMatchObject({
      success: false,
      error: 'Directory not empty: /workspace/d',
    });
    expect(await ask('delete_file', { path: 'd', recursive: true })).toMatchObject({ success: true });
    expect(files.contents.size).toBe(0);
  });

  it('does not delete /workspace itself', async () => {
    const { ask } = await withFiles();
    await expect(ask('delete_file', { path: '.', recursive: true })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
  });
});

describe('create_directory', () => {
  it('says whether it was there already', async () => {
    const { ask } = await withFiles();
    const made = async () => (await ask('create_directory', { path: 'a/b' })).result;
    expect(await made()).toEqual({ path: '/workspace/a/b', created: true });
    expect(await made()).toEqual({ path: '/workspace/a/b', created: false });
  });

  it('makes no parents when told not to', async () => {
    const { ask } = await withFiles();
    expect(await ask('create_directory', { path: 'a/b', recursive: false })).toMatchObject({
      success: false,
      error: 'File not found: /workspace/a',
    });
  });
});

describe('list_directory', () => {
  const tree = { 'a.py': '1', 'b.txt': '22', '.hidden': '', 'src/c.py': '', 'src/deep/d.py': '' };

  it.each([
    [{}, ['a.py', 'b.txt', 'src']],
    [{ path: 'src' }, ['src/c.py', 'src/deep']],
    [{ includeHidden: true }, ['.hidden', 'a.py', 'b.txt', 'src']],
    [{ recursive: true }, ['a.py', 'b.txt', 'src', 'src/c.py', 'src/deep', 'src/deep/d.py']],
    [{ recursive: true, maxDepth: 2 }, ['a.py', 'b.txt', 'src', 'src/c.py', 'src/deep']],
    [{ pattern: '*.py' }, ['a.py']],
    [{ recursive: true, pattern: '*.py' }, ['a.py', 'src/c.py', 'src/deep/d.py']],
    [{ recursive: true, pattern: 'src/*.py' }, ['src/c.py']],
    [{ pattern: 'nothing' }, []],
  ])('with %j lists %j', async (fields, paths) => {
    const { ask } = await withFiles(tree);
    const { result } = await ask('list_directory', fields);
    expect((result as { entries: { path: string }[] }).entries.map(({ path }) => path)).toEqual(paths);
  });

  it('lists everything below under its older name', async () => {
    const { ask } = await withFiles(tree);
    const { result } = await ask('list_files');
    expect((result as { entries: unknown[] }).entries).toHaveLength(6);
  });

  it('describes what it lists', async () => {
    const { ask } = await withFiles({ 'b.txt': '22' });
    expect((await ask('list_directory')).result).toEqual({
      path: '/workspace',
      entries: [
        { name: 'b.txt', path: 'b.txt', type: 'file', size: 2, modifiedAt: '1970-01-01T00:00:00.000Z' },
      ],
    });
  });

  it('refuses a pattern that means too many', async () => {
    const { ask } = await withFiles();
    await expect(ask('list_directory', { pattern: '{a,b}'.repeat(7) })).rejects.toMatchObject({
      field: 'command.pattern',
    });
  });
});

describe('stat', () => {
  it('describes a file', async () => {
    const { ask } = await withFiles({ 'd/b.txt': '22' });
    const common = { modifiedAt: '1970-01-01T00:00:00.000Z' };
    expect((await ask('stat', { path: 'd/b.txt' })).result).toEqual({
      ...{ name: 'b.txt', path: '/workspace/d/b.txt', type: 'file', size: 2, mode: 0o644 },
      ...common,
    });
    expect((await ask('stat', { path: '.' })).result).toEqual({
      ...{ name: 'workspace', path: '/workspace', type: 'directory', size: 0, mode: 0o755 },
      ...common,
    });
  });

  it.each(['', '..', '/etc'])('refuses the path %j by its text', async path => {
    const { ask } = await withFiles();
    await expect(ask('stat', { path })).rejects.toMatchObject({ field: 'command.path' });
  });
});

describe('a command on files', () => {
  it('echoes its id, or gets one', async () => {
    const { execute } = await withFiles({ a: '' });
    const command = { type: 'read_file', path: 'a' };
    expect((await execute({ ...command, id: 'mine' })).result.id).toBe('mine');
    expect((await execute(command)).result.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says that the sandbox was lost', async () => {
    const { ask, files } = await withFiles();
    files.refusal = new SandboxLost('it was killed');
    expect(await ask('read_file', { path: 'a' })).toMatchObject({
      success: false,
      error: 'The sandbox was lost: it was killed',
    });
  });

  it('does not hide an error that is nobody’s plan', async () => {
    const { ask, files } = await withFiles();
    files.refusal = new TypeError('a bug');
    await expect(ask('read_file', { path: 'a' })).rejects.toThrow('a bug');
  });

  it('leaves /workspace empty where it is not to persist', async () => {
    const { session, runtime } = openService();
    const { execute } = await session({ persistFilesystem: false });
    await execute({ type: 'write_file', path: 'a', content: 'x' });
    expect(runtime.last.files.contents.size).toBe(0);
  });

  it('tells its start by no event, and its end by one where it streams', async () => {
    const { execute } = await withFiles({ a: '' });
    const command = { type: 'read_file', path: 'a' };
    expect((await execute(command)).completedSeq).toBeNull();
    expect((await execute(command, {}, { stream: true })).completedSeq).toBe(2);
  });
});
