import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/**
 * A program swaps a directory for a link out of the workspace, again and again, while the service works below it. The
 * agent and its tools have that program's user, so this is about what the service does, and no wall.
 */
const server = inject('server');
const ROUNDS = 40;

const SWAPPING = `
import ctypes, os, platform
libc = ctypes.CDLL(None)
number = 316 if platform.machine() == 'x86_64' else 276
for directory in '/tmp/outside', '/workspace/d':
    os.mkdir(directory)
    open(directory + '/f', 'w').write('one\\n')
os.symlink('/tmp/outside', '/workspace/l')
print('begun', flush=True)
while not os.path.exists('/tmp/enough'): libc.syscall(number, -100, b'/workspace/d', -100, b'/workspace/l', 2)`;

const patch = (i: number) =>
  `--- a/d/f\n+++ b/d/f\n@@ -1 +1 @@\n-one\n+one\n--- /dev/null\n+++ b/d/p${i}\n@@ -0,0 +1 @@\n+new\n`;

describe.for(await sandboxes())(
  'on $name a directory that is swapped for a link',
  ({ language, runtimeType }) => {
    test('leads no command out of the workspace', async () => {
      await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
      await session.done('write_file', { path: 'own', content: 'own' });
      const swapper = { commandName: 'python3', args: ['-c', SWAPPING], background: true };
      await session.done('execute_shell', swapper);
      await session.client.notified(({ params }) => params.text?.includes('begun'));
      let done = 0;
      for (let i = 0; i < ROUNDS; i++) {
        const answers = await Promise.all([
          session.command('apply_patch', { patch: patch(i) }),
          session.command('write_file', { path: `d/w${i}`, content: 'w' }),
          session.command('create_directory', { path: `d/x${i}/y` }),
          session.command('copy_file', { sourcePath: 'own', destinationPath: `d/c${i}` }),
          session.command('move_file', { sourcePath: `d/c${i - 1}`, destinationPath: `d/m${i}` }),
        ]);
        done += answers.filter(({ success }) => success).length;
      }
      expect(done).toBeGreaterThan(0);
      const outside = await session.shell('sh', [
        '-c',
        'touch /tmp/enough; ls -A /tmp/outside; cat /tmp/outside/f',
      ]);
      expect(outside.stdout).toBe('f\none\n');
    });
  },
);
