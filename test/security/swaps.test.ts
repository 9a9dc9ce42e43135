import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { serverIsWell } from './probe.ts';

/**
 * A program swaps a file for something else, again and again, while the service reads, writes, copies, lists and deletes
 * it. What the service gets is the file or a refusal, soon; what it does stays in the workspace.
 */
const server = inject('server');
const SWAPS = 10_000;
/** Of commands at least, while it swaps; by hand with more. */
const ROUNDS = Number(process.env.CODEBEAKER_SWAP_ROUNDS ?? 25);
const KINDS: Readonly<Record<string, string>> = {
  'a link to a file of the system': `os.symlink('/etc/passwd', 'other')`,
  'a link to the agent': `os.symlink('/proc/1/environ', 'other')`,
  'a link to itself': `os.symlink('other', 'other')`,
  'a pipe': `os.mkfifo('other')`,
  'a directory': `os.mkdir('other')`,
  'an endless device': `os.symlink('/dev/zero', 'other')`,
};

/** RENAME_EXCHANGE swaps two names in one system call (renameat2(2)); it says so when it has done enough. */
const swapping = (make: string) => `
import ctypes, os, platform
libc = ctypes.CDLL(None)
number = 316 if platform.machine() == 'x86_64' else 276
open('target', 'w').write('inside')
${make}
swaps = 0
while True:
    if libc.syscall(number, -100, b'target', -100, b'other', 2) != 0:
        try: open('target', 'x').write('inside')
        except OSError: pass
        try: ${make}
        except OSError: pass
    swaps += 1
    if swaps == ${SWAPS}: print('enough', flush=True)`;

describe.for(await sandboxes())('on $name a file swapped for', ({ language, runtimeType }) => {
  test.for(Object.entries(KINDS))('%s', async ([, make]) => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    const command = {
      type: 'execute_shell',
      commandName: 'python3',
      args: ['-c', swapping(make)],
      background: true,
    };
    await session.client.call('session.execute', { sessionId: session.id, command });
    const enough = () =>
      session.client.notifications.some(({ params }) => params.text?.includes('enough')) as boolean;
    let read = 0;
    for (let i = 0; i < 20 * ROUNDS + 500 && !(enough() && i > ROUNDS); i++) {
      const answers = await Promise.all([
        session.command('read_file', { path: 'target' }),
        session.command('copy_file', {
          sourcePath: 'target',
          destinationPath: `copy${i % 8}`,
          overwrite: true,
        }),
        session.command('list_directory', { path: 'target' }),
        session.command('write_file', { path: 'target', content: 'inside' }),
        ...(i % 20 === 0 ? [session.command('delete_file', { path: 'target' })] : []),
      ]);
      const [{ success, result }] = answers;
      // A link that is deleted and made again may be met as an empty new file.
      if (success) expect(['inside', '']).toContain(result.content);
      if (success) read++;
      const [, , listing] = answers;
      const names = listing.success ? listing.result.entries.map((e: { name: string }) => e.name) : [];
      expect(names.join()).toMatch(/^(target)?$/);
    }
    expect(enough()).toBe(true);
    expect(read).toBeGreaterThan(0);
    for (let i = 0; i < 8; i++) {
      const copied = await session.command('read_file', { path: `copy${i}` });
      if (copied.success) expect(['inside', '']).toContain(copied.result.content);
    }
    await serverIsWell();
  });

  test('a link while outputs are collected', async () => {
    const swap = swapping(`os.symlink('/etc/passwd', 'other')`);
    const code = `
import subprocess, sys, time
subprocess.Popen(['setsid', sys.executable, '-c', ${JSON.stringify(swap)}], stdout=subprocess.DEVNULL)
time.sleep(0.3)`;
    for (let i = 0; i < 5; i++) {
      const end = await runOnce(server.url, {
        language: 'python',
        ...(runtimeType === 'Docker' && { runtimeType }),
        code,
        outputFiles: ['target', 'other'],
      });
      expect(end.outcome).toBe('ok');
      for (const { content } of end.files) expect(['inside', '']).toContain(content);
    }
  });
});
