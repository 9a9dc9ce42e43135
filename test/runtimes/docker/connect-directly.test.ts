import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { connectDirectly } from '../../../src/runtimes/docker/connect-directly.ts';
import { DIRECT_PATH } from '../../../src/runtimes/docker/container-plan.ts';
import { needs } from '../../support/needs.ts';

const CHANGES_ROOT = `import os, sys
os.chroot(sys.argv[1])
print('there', flush=True)
sys.stdin.read()`;

function freshDirectory(): string {
  const directory = mkdtempSync('/dev/shm/codebeaker-root-');
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A process that sees a directory as all there is. */
async function processIn(root: string): Promise<number> {
  const child = spawn('/usr/bin/python3', ['-c', CHANGES_ROOT, root], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child.pid!;
}

async function listen(path: string): Promise<void> {
  const server = createServer(socket => socket.destroy()).listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
}

needs('root')(
  'a path is connected to in the root of its process, and through no link out of it',
  async () => {
    const [root, elsewhere] = [freshDirectory(), freshDirectory()];
    const pid = await processIn(root);
    expect(await connectDirectly(pid)).toBe(null);
    await listen(`${elsewhere}/.service`);
    symlinkSync(elsewhere, join(root, 'tmp'));
    expect(await connectDirectly(pid)).toBe(null);
    rmSync(join(root, 'tmp'));
    mkdirSync(join(root, 'tmp'));
    expect(await connectDirectly(pid)).toBe(null);
    await listen(join(root, DIRECT_PATH));
    const socket = await connectDirectly(pid);
    expect(socket).not.toBe(null);
    socket!.destroy();
  },
);
