import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { residentBytes } from '../support/memory.ts';
import { TestSession } from '../support/session.ts';
import { attack, serverIsWell } from './probe.ts';

/** What a program can do to a directory, the service survives when it lists, reads, copies and deletes there. */
const server = inject('server');
/** Of commands against a program that swaps directories; by hand with more. */
const ROUNDS = Number(process.env.CODEBEAKER_SWAP_ROUNDS ?? 60);

describe.for(await sandboxes())('files made by a program in $name', cell => {
  const open = (more = {}) =>
    TestSession.open(server.wsUrl, { language: cell.language, runtimeType: cell.runtimeType, ...more });

  test('may have names that are no text, and lines and escapes in them', async () => {
    await using session = await open();
    const make = `import os\nfor n in (b'\\xff\\xfe', b'a\\nb', b'\\x1b[31m', '漢'.encode(), b' ', b'-rf'): open(n, 'w')`;
    await session.shell('python3', ['-c', make]);
    const { entries } = await session.done('list_directory');
    expect(entries.map((e: { name: string }) => e.name)).toEqual(
      expect.arrayContaining(['a\nb', '漢', ' ', '-rf']),
    );
    expect(entries).toHaveLength(6);
  });

  test('may lie ten thousand directories deep', async () => {
    await using session = await open({ persistFilesystem: false });
    const make = `import os\nfor _ in range(10_000): os.mkdir('d'); os.chdir('d')`;
    await session.shell('python3', ['-c', make]);
    expect((await session.shell('ls')).stdout).toBe('');
    await using keeping = await open();
    await keeping.shell('python3', ['-c', make]);
    await keeping.command('list_directory', { recursive: true });
    await keeping.command('delete_file', { path: 'd', recursive: true });
    expect((await keeping.shell('echo', ['alive'])).stdout).toBe('alive\n');
    await serverIsWell();
  });

  test('may be as many as there are inodes', async () => {
    await using session = await open();
    const make = `import os\ntry:\n  for i in range(70_000): os.close(os.open(f'f{i}', os.O_CREAT))\nexcept OSError: print('full')`;
    expect((await session.shell('python3', ['-c', make])).stdout).toBe('full\n');
    const listed = await session.command('list_directory', { recursive: true });
    if (listed.success) expect(listed.result.entries.length).toBeGreaterThan(50_000);
    else expect(listed.error).toMatch(/\w/);
    await serverIsWell();
  });

  test('may claim to be a terabyte, and the server’s memory does not follow', async () => {
    await using session = await open();
    await session.shell('truncate', ['-s', '1T', 'huge']);
    const before = residentBytes(server.pid);
    expect((await session.command('read_file', { path: 'huge' })).success).toBe(false);
    const part = await session.done('read_file', { path: 'huge', offset: 5e11, length: 3 });
    expect(part).toEqual({ content: 'AAAA', encoding: 'base64', bytes: 3 });
    const copied = await session.command('copy_file', { sourcePath: 'huge', destinationPath: 'copy' });
    // As a hole, which takes no room.
    expect(copied).toMatchObject({ success: true, result: { bytes: 2 ** 40 } });
    // Other tests use this server meanwhile; what followed would be a thousand times as much.
    expect(residentBytes(server.pid) - before).toBeLessThan(2 ** 30);
    await session.command('delete_file', { path: 'copy' }).catch(() => {});
    expect((await session.shell('echo', ['alive'])).stdout).toBe('alive\n');
  });

  test('are given back by a one-shot only if they are files inside', async () => {
    const end = await attack(
      cell,
      `
os.symlink('/etc/passwd', 'passwd'); os.symlink('/proc/1/environ', 'environ'); os.symlink('loop', 'loop')
os.mkfifo('pipe'); os.mkdir('dir'); os.symlink('/dev/zero', 'zero'); os.symlink('/', 'root')
subprocess.run(['truncate', '-s', '1T', 'huge'])
open('real', 'w').write('real')`,
      {
        outputFiles: ['passwd', 'environ', 'loop', 'pipe', 'dir', 'zero', 'root/etc/passwd', 'huge', 'real'],
      },
    );
    expect(end.outcome).toBe('ok');
    expect(end.files).toEqual([{ path: 'real', content: 'real', encoding: 'utf8' }]);
    expect(end.missingFiles).toHaveLength(8);
  });

  test('swapped for links in a race never lead the service outside', async () => {
    await using session = await open();
    const script = `
import os
os.mkdir('dir'); open('dir/f', 'w').write('inside')
os.symlink('/etc', 'link')
while True:
    os.rename('dir', 'aside'); os.rename('link', 'dir'); os.rename('dir', 'link'); os.rename('aside', 'dir')`;
    await session.done('execute_shell', { commandName: 'python3', args: ['-c', script], background: true });
    for (let i = 0; i < ROUNDS; i++) {
      const read = await session.command('read_file', { path: 'dir/passwd' });
      expect(read.success).toBe(false);
      const listed = await session.command('list_directory', { path: 'dir' });
      // The program may have made the directory and not yet what is in it.
      const names = listed.success ? listed.result.entries.map((e: { name: string }) => e.name).join() : '';
      expect(['', 'f']).toContain(names);
    }
  });

  test('of /workspace itself cannot be moved away from under the service', async () => {
    await using session = await open();
    await session.shell('sh', [
      '-c',
      'rm -rf /workspace; mv /workspace /tmp/w; ln -s /etc /workspace; chmod 000 /workspace',
    ]);
    await session.command('list_directory');
    await session.shell('sh', ['-c', 'chmod 755 /workspace']);
    await session.done('write_file', { path: 'f', content: 'x' });
    expect((await session.done('read_file', { path: 'f' })).content).toBe('x');
  });
});
