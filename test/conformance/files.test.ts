import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { sandboxes } from '../support/matrix.ts';
import { sharedSession } from '../support/shared-session.ts';

/** The commands that touch files, in every shape and under every name that clients use. */
const server = inject('server');

describe.for(await sandboxes())('a session of $name', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });
  const shared = sharedSession(server.wsUrl, { language, runtimeType });

  test('writes, appends and reads text and bytes, and makes parent directories', async () => {
    const session = await shared();
    const written = await session.done('write_file', { path: 'a/b/c.txt', content: 'é\n' });
    expect(written).toEqual({ path: '/workspace/a/b/c.txt', bytes: 3 });
    await session.done('write_file', { path: '/workspace/a/b/c.txt', content: 'more', mode: 'Append' });
    const read = await session.done('read_file', { path: 'a/b/c.txt' });
    expect(read).toEqual({ content: 'é\nmore', bytes: 7, encoding: 'utf8' });
    await session.done('write_file', { path: 'a/b/c.txt', content: 'AP8=', encoding: 'base64' });
    const bytes = await session.done('read_file', { path: 'a/b/c.txt', encoding: 'base64' });
    expect(bytes).toEqual({ content: 'AP8=', bytes: 2, encoding: 'base64' });
    await session.done('write_file', { path: 'a/b/c.txt', content: '', mode: 'Create' });
    expect((await session.done('read_file', { path: 'a/b/c.txt' })).bytes).toBe(0);
  });

  test('reads a part of a file', async () => {
    const session = await shared();
    await session.done('write_file', { path: 'n', content: '0123456789' });
    expect((await session.done('read_file', { path: 'n', offset: 3, length: 4 })).content).toBe('3456');
    expect((await session.done('read_file', { path: 'n', offset: 8 })).content).toBe('89');
    expect((await session.done('read_file', { path: 'n', offset: 99 })).content).toBe('');
  });

  test('keeps ten megabytes whole', async () => {
    const session = await shared();
    const content = Buffer.alloc(10_000_000, 'Zm9v').toString('latin1');
    await session.done('write_file', { path: 'big', content });
    expect((await session.done('read_file', { path: 'big' })).content === content).toBe(true);
  });

  test('takes commands nested in params, and older names of types and fields', async () => {
    await using session = await open();
    const params = { path: 'old.txt', content: 'old', mode: 'Overwrite' };
    const nested = { type: 'write_file', params };
    const answer = await session.client.call('session.execute', { sessionId: session.id, command: nested });
    expect(answer).toMatchObject({ success: true, result: { bytes: 3 } });
    await session.done('create_dir', { path: 'dir' });
    await session.done('copy_file', { source: 'old.txt', destination: 'dir/copy.txt' });
    const { entries } = await session.done('list_files');
    expect(entries.map((e: { path: string }) => e.path).sort()).toEqual(['dir', 'dir/copy.txt', 'old.txt']);
    const shown = await session.done('shell', { command: 'sh', args: ['-c', 'echo $A'], env: { A: 'b' } });
    expect(shown.stdout).toBe('b\n');
    const ran = await session.done('execute', { code: '1 + 1' });
    expect(ran.results).toMatchObject([{ 'text/plain': '2' }]);
    const hidden = await session.done('list_directory', {
      include_hidden: true,
      max_depth: 1,
      recursive: true,
    });
    expect(hidden.entries).toHaveLength(2);
  });

  test('creates, lists, copies, moves and deletes', async () => {
    await using session = await open();
    expect(await session.done('create_directory', { path: 'd/e' })).toEqual({
      path: '/workspace/d/e',
      created: true,
    });
    expect((await session.done('create_directory', { path: 'd/e' })).created).toBe(false);
    await session.done('write_file', { path: 'd/one.txt', content: '1' });
    await session.done('write_file', { path: 'd/.hidden', content: '' });
    expect(await session.done('copy_file', { sourcePath: 'd/one.txt', destinationPath: 'two.txt' })).toEqual({
      sourcePath: '/workspace/d/one.txt',
      destinationPath: '/workspace/two.txt',
      bytes: 1,
    });
    await session.done('move_file', { sourcePath: 'two.txt', destinationPath: 'd/e/three.txt' });
    const { path, entries } = await session.done('list_directory', { path: 'd' });
    expect(path).toBe('/workspace/d');
    expect(entries.map((e: { name: string }) => e.name).sort()).toEqual(['e', 'one.txt']);
    const one = entries.find((e: { name: string }) => e.name === 'one.txt');
    expect(one).toMatchObject({ path: 'd/one.txt', type: 'file', size: 1 });
    expect(one.modifiedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const found = await session.done('list_directory', { recursive: true, pattern: '*.txt' });
    expect(found.entries.map((e: { path: string }) => e.path).sort()).toEqual(['d/e/three.txt', 'd/one.txt']);
    const direct = await session.done('list_directory', { recursive: true, pattern: 'd/*.{txt,md}' });
    expect(direct.entries.map((e: { path: string }) => e.path)).toEqual(['d/one.txt']);
    expect(await session.done('delete_file', { path: 'd/one.txt' })).toEqual({
      path: '/workspace/d/one.txt',
      deleted: true,
    });
    expect((await session.command('delete_file', { path: 'd' })).success).toBe(false);
    await session.done('delete_file', { path: 'd', recursive: true });
    expect((await session.done('list_directory', { includeHidden: true })).entries).toEqual([]);
  });

  test('says in a sentence why a command could not do its work', async () => {
    await using session = await open();
    await session.done('write_file', { path: 'there', content: 'x' });
    await session.done('write_file', { path: 'taken', content: 'y' });
    const missing = await session.command('read_file', { path: 'missing.py' });
    expect(missing).toMatchObject({ success: false, error: 'File not found: /workspace/missing.py' });
    const program = await session.command('execute_shell', { commandName: 'foo' });
    expect(program).toMatchObject({ success: false, error: 'Program not found: foo' });
    for (const type of ['copy_file', 'move_file']) {
      const paths = { sourcePath: 'there', destinationPath: 'taken', overwrite: false };
      expect(await session.command(type, paths)).toMatchObject({ success: false });
    }
    expect((await session.done('read_file', { path: 'taken' })).content).toBe('y');
    expect((await session.command('list_directory', { path: 'nowhere' })).success).toBe(false);
    expect((await session.command('read_file', { path: '.' }).catch(e => e)).success).not.toBe(true);
  });

  test('gives the files it writes to the program', async () => {
    await using session = await open();
    await session.done('write_file', { path: 'f.sh', content: 'echo ran' });
    const script = 'chmod 755 f.sh && echo >> f.sh && ./f.sh && rm f.sh && ls';
    expect(await session.shell('sh', ['-c', script])).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
  });

  test('reads and writes through fs.readFile and fs.writeFile, by default in the socket’s newest session', async () => {
    const session = await shared();
    expect(await session.client.call('fs.writeFile', { path: 'f', content: 'text' })).toMatchObject({
      bytes: 4,
    });
    const read = await session.client.call('fs.readFile', { sessionId: session.id, path: 'f' });
    expect(read).toEqual({ content: 'text', bytes: 4, encoding: 'utf8' });
    const failed = await session.client.refused('fs.readFile', { path: 'missing' });
    expect(failed).toMatchObject({ code: -31052, data: { code: 'COMMAND_FAILED' } });
  });

  test('refuses a path that leaves /workspace by its text, naming the field', async () => {
    const session = await shared();
    const bad = [
      '..',
      '../x',
      'a/../../x',
      '/etc/passwd',
      '/workspace/../etc',
      '/workspaces',
      '',
      'a\0b',
      'x'.repeat(256),
    ];
    bad.push('d/'.repeat(2100));
    const fields: [string, (path: string) => Record<string, unknown>, string][] = [
      ['read_file', path => ({ path }), 'path'],
      ['write_file', path => ({ path, content: '' }), 'path'],
      ['delete_file', path => ({ path }), 'path'],
      ['create_directory', path => ({ path }), 'path'],
      ['list_directory', path => ({ path }), 'path'],
      ['copy_file', path => ({ sourcePath: path, destinationPath: 'x' }), 'sourcePath'],
      ['copy_file', path => ({ sourcePath: 'x', destinationPath: path }), 'destinationPath'],
      ['move_file', path => ({ sourcePath: path, destinationPath: 'x' }), 'sourcePath'],
      ['move_file', path => ({ sourcePath: 'x', destinationPath: path }), 'destinationPath'],
      ['execute_shell', path => ({ commandName: 'pwd', workingDirectory: path }), 'workingDirectory'],
    ];
    for (const path of bad) {
      for (const [type, make, field] of fields) {
        const answer = await session.command(type, make(path)).catch(error => error);
        const data = { field: `command.${field}` };
        expect(answer, `${type} ${JSON.stringify(path)}`).toMatchObject({ code: -32602, data });
      }
    }
  });

  test('names a field where the client wrote it', async () => {
    const session = await shared();
    const { client, id: sessionId } = session;
    const nested = { type: 'read_file', params: { path: '..' } };
    await expect(client.call('session.execute', { sessionId, command: nested })).rejects.toMatchObject({
      message: 'command.params.path: leaves /workspace',
      data: { field: 'command.params.path' },
    });
    await expect(client.call('fs.readFile', { path: '..' })).rejects.toMatchObject({
      message: 'path: leaves /workspace',
      data: { field: 'path' },
    });
  });

  test('refuses a symbolic link out of /workspace when it runs, and follows one inside', async () => {
    const session = await shared();
    const script =
      'mkdir d && echo in > d/f && ln -s d inside && ln -s /etc etc && ln -s /etc/passwd pw && ln -s / root';
    await session.shell('sh', ['-c', script]);
    expect((await session.done('read_file', { path: 'inside/f' })).content).toBe('in\n');
    await session.done('write_file', { path: 'inside/g', content: 'g' });
    expect((await session.shell('cat', ['d/g'])).stdout).toBe('g');
    const refused: [string, Record<string, unknown>][] = [
      ['read_file', { path: 'pw' }],
      ['read_file', { path: 'etc/passwd' }],
      ['read_file', { path: 'root/proc/self/environ' }],
      ['write_file', { path: 'root/tmp/x', content: '' }],
      ['write_file', { path: 'etc/x', content: '' }],
      ['list_directory', { path: 'etc' }],
      ['create_directory', { path: 'root/tmp/d' }],
      ['copy_file', { sourcePath: 'pw', destinationPath: 'copy' }],
      ['copy_file', { sourcePath: 'd/f', destinationPath: 'root/tmp/f' }],
      ['move_file', { sourcePath: 'd/f', destinationPath: 'root/tmp/f' }],
      ['delete_file', { path: 'root/tmp', recursive: true }],
      ['execute_shell', { commandName: 'pwd', workingDirectory: 'etc' }],
    ];
    for (const [type, fields] of refused) {
      const answer = await session.command(type, fields);
      expect(answer, `${type} ${JSON.stringify(fields)}`).toMatchObject({ success: false });
      expect(answer.error).not.toContain('root:x');
    }
    await session.done('delete_file', { path: 'etc' });
    expect((await session.shell('ls', ['/etc/passwd'])).exitCode).toBe(0);
  });

  test('does not hang on a named pipe or a device that stands where a file is expected', async () => {
    const session = await shared();
    await session.shell('mkfifo', ['pipe']);
    expect((await session.command('read_file', { path: 'pipe' })).success).toBe(false);
    const into = { sourcePath: 'pipe', destinationPath: 'copy' };
    expect((await session.command('copy_file', into)).success).toBe(false);
  });
});
