import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { sandboxes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';
import type { TestSession } from '../support/session.ts';

/** Files whose names are no text, and paths that say that they mean a directory. */
const server = inject('server');
/** For printf(1). */
const MAKE = `
  mkdir "$(printf 'd\\351')"; echo one > "$(printf 'd\\351/caf\\351')"; echo two > "$(printf '\\377\\376')"
  echo three > '\\xe9'`;

describe.for(await sandboxes())('a session of $name', ({ language, runtimeType, dialect }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });
  const read = async (session: TestSession, path: string) =>
    (await session.done('read_file', { path })).content;

  test('lists, reads, writes, copies, moves and deletes files whose names are no UTF-8', async () => {
    await using session = await open();
    await session.shell('sh', ['-c', MAKE]);
    const list = async () =>
      (await session.done('list_directory', { recursive: true })).entries.map(
        (e: { path: string }) => e.path,
      );
    expect(await list()).toEqual(['\\x5cxe9', 'd\\xe9', 'd\\xe9/caf\\xe9', '\\xff\\xfe']);
    const texts = ['\\x5cxe9', 'd\\xe9/caf\\xe9', '\\xff\\xfe'].map(path => read(session, path));
    expect(await Promise.all(texts)).toEqual(['three\n', 'one\n', 'two\n']);
    const written = await session.done('write_file', { path: 'new\\xff/\\xc3', content: 'four' });
    expect(written).toEqual({ path: '/workspace/new\\xff/\\xc3', bytes: 4 });
    await session.done('copy_file', { sourcePath: 'new\\xff/\\xc3', destinationPath: '\\x80' });
    await session.done('move_file', { sourcePath: 'd\\xe9', destinationPath: 'e\\xe8' });
    const seen = await session.shell(
      'sh',
      ['-c', "ls | od -An -tx1 | tr -d ' \\n'; pwd | tail -c 3 | od -An -tx1"],
      {
        workingDirectory: 'new\\xff',
      },
    );
    expect(seen.stdout).toBe('c30a 77 ff 0a\n');
    expect(await read(session, 'e\\xe8/caf\\xe9')).toBe('one\n');
    for (const path of ['\\x80', '\\x5cxe9', '\\xff\\xfe', 'e\\xe8', 'new\\xff'])
      await session.done('delete_file', { path, recursive: true });
    expect(await list()).toEqual([]);
    const gone = await session.command('read_file', { path: 'e\\xe8' });
    expect(gone.error).toBe('File not found: /workspace/e\\xe8');
    const tooLong = session.command('read_file', { path: '\\xe8'.repeat(256) });
    await expect(tooLong).rejects.toMatchObject({ code: -32602 });
  });

  test('makes no file of a path that ends like a directory’s', async () => {
    await using session = await open();
    await session.done('write_file', { path: 'file', content: 'x' });
    const refused = [
      ['write_file', { path: 'dir/', content: 'x' }, 'path'],
      ['write_file', { path: 'dir/.', content: 'x', mode: 'Append' }, 'path'],
      ['read_file', { path: 'file/' }, 'path'],
      ['copy_file', { sourcePath: 'file', destinationPath: 'dir/' }, 'destinationPath'],
      ['copy_file', { sourcePath: 'file/', destinationPath: 'copy' }, 'sourcePath'],
    ] as const;
    for (const [type, fields, field] of refused) {
      const error = await session.command(type, fields).catch(problem => problem);
      expect(error, type).toMatchObject({
        code: -32602,
        message: expect.stringContaining(`${field}: names a directory`),
      });
    }
    const move = { sourcePath: 'file', destinationPath: 'dir/' };
    expect((await session.command('move_file', move)).error).toBe('Not a directory: /workspace/dir/');
    expect((await session.command('delete_file', { path: 'file/' })).error).toMatch(/^Not a directory/);
    await session.done('create_directory', { path: 'dir/' });
    await session.done('move_file', { sourcePath: 'dir/', destinationPath: 'moved/' });
    await session.done('delete_file', { path: 'moved/' });
    expect((await session.done('list_directory')).entries.map((e: { name: string }) => e.name)).toEqual([
      'file',
    ]);
  });

  test('takes and gives such files with a one-shot too', async () => {
    const rename = JSON.stringify(['-c', "mv in* out$(printf '\\377')"]);
    const code = {
      python: `import subprocess; subprocess.check_call(['sh', *${rename}])`,
      javascript: `require('node:child_process').execFileSync('sh', ${rename});`,
    }[dialect];
    const body = {
      language,
      runtimeType,
      code,
      files: [{ path: 'in\\xff', content: 'x' }],
      outputFiles: ['out\\xff'],
    };
    const { body: ran } = await http(`${server.url}/api/execution?wait=true`, 'POST', body);
    const files = [{ path: 'out\\xff', content: 'x', encoding: 'utf8' }];
    expect(ran).toMatchObject({ outcome: 'ok', files, missingFiles: [] });
    const refused = { ...body, files: [{ path: 'dir/', content: 'x' }] };
    const answer = await http(`${server.url}/api/execution`, 'POST', refused);
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('files[0].path') },
    });
  });
});
