import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { GroupDirectories } from '../../src/cgroup/cgroup.ts';
import { watchLocks } from '../../src/runtimes/watch-locks.ts';

/** Has so many processes hold a little less than a sandbox may where there are many, and says which they are. */
const HOLDERS = `
import fcntl, os, struct, sys, tempfile
def hold():
    for i in range(10):
        f = tempfile.TemporaryFile(); files.append(f)
        for j in range(400): fcntl.fcntl(f, fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 2 * j, 1, 0))
files, (held, holds) = [], os.pipe()
for i in range(17):
    pid = os.fork()
    if pid == 0:
        hold(); os.write(holds, b'x'); sys.stdin.read(); os._exit(0)
    print(pid)
left = 17
while left: left -= len(os.read(held, left))
print('there', flush=True)
sys.stdin.read()
`;

test('many together don’t hide the locks of others by holding a little less each than one may', async () => {
  const there = mkdtempSync(join(tmpdir(), 'codebeaker-locks-'));
  const holders = spawn('python3', ['-c', HOLDERS], { stdio: ['pipe', 'pipe', 'inherit'] });
  using open = new DisposableStack();
  open.defer(() => rmSync(there, { recursive: true }));
  open.defer(() => holders.kill('SIGKILL'));
  let said = '';
  holders.stdout.on('data', data => {
    said += data;
  });
  await vi.waitFor(() => expect(said).toContain('there'), { timeout: 60_000 });
  const ended: string[] = [];
  for (const pid of said.trim().split('\n').slice(0, -1)) {
    const pids = join(there, pid);
    mkdirSync(pids);
    writeFileSync(join(pids, 'cgroup.procs'), `${pid}\n`);
    const end = () => {
      ended.push(pid);
      // As a sandbox that ends is.
      process.kill(Number(pid), 'SIGKILL');
    };
    open.use(watchLocks({ pids } as GroupDirectories, end));
  }
  await vi.waitFor(() => expect(ended).toHaveLength(1), { timeout: 60_000 });
  holders.stdin.end();
  await once(holders, 'exit');
}, 120_000);
