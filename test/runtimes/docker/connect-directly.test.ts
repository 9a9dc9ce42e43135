import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectDirectly } from '../../../src/runtimes/docker/connect-directly.ts';

/** What an image may hold, as root of a process; `there` is a directory of this machine where something listens. */
const PLACES = `
import os, socket, subprocess, sys, time
there, root, place = sys.argv[1:]
mount = lambda *words: subprocess.run(['mount', *words], check=True)
tmp = root + '/tmp'
if place == 'linked directory':
    os.symlink(there, tmp)
else:
    os.mkdir(tmp)
    if place != 'disk': mount('-t', 'tmpfs', 'tmpfs', tmp)
    if place == 'disk': mount('-t', 'ramfs', 'ramfs', tmp)
    if place == 'linked socket': os.symlink(there + '/.service', tmp + '/.service')
    if place == 'file': open(tmp + '/.service', 'w').close()
    if place in ('socket', 'disk'):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(tmp + '/.service')
        listener.listen(1)
os.chroot(root)
print('there', flush=True)
time.sleep(600)
`;

test.for([
  ['socket', true],
  ['linked directory', false],
  ['linked socket', false],
  ['file', false],
  ['disk', false],
  ['nothing', false],
] as const)(
  'of a container that has a %s where its agent may be, it is reached: %s',
  async ([place, reached]) => {
    const there = mkdtempSync('/dev/shm/codebeaker-there-');
    const root = join(there, 'root');
    mkdirSync(root);
    let came = 0;
    const server = createServer(socket => {
      came++;
      socket.destroy();
    });
    await once(server.listen(join(there, '.service')), 'listening');
    const own = ['--mount', '--propagation', 'private', 'python3', '-c', PLACES, there, root, place];
    const child = spawn('unshare', own, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const connection = await connectDirectly(child.pid!);
      connection?.destroy();
      expect([connection !== null, came]).toEqual([reached, 0]);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
      server.close();
      rmSync(there, { recursive: true });
    }
  },
);
