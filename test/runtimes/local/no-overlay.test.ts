import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { needs } from '../../support/needs.ts';

/** A system whose /usr can be in no overlay: it lies on two already, as many as the kernel stacks. */
const STACKED = `
mount -t overlay -o ro,lowerdir=/usr:"$1/empty" one "$1/one"
mount -t overlay -o ro,lowerdir="$1/one:$1/empty" two /usr
shift
exec "$@"`;

const SUPPORT = join(import.meta.dirname, 'support.ts');
const PROGRAM = `
const { openLocal, run } = await import(${JSON.stringify(SUPPORT)});
const local = await openLocal();
const sandbox = await local.open();
const { stdout } = await run(sandbox, 'sh', '-c', 'grep -o " /usr ro,nosuid,nodev" /proc/self/mountinfo; touch /usr/x /usr/local/x || python3 -c "print(1)"');
console.log(stdout);
await sandbox.close();
await local[Symbol.asyncDispose]();`;

needs('root')('what can be in no overlay is shown as it is, read-only, and that is said', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stacked-'));
  try {
    for (const name of ['empty', 'one']) mkdirSync(join(directory, name));
    const shell = ['unshare', '-m', '--propagation', 'private', 'sh', '-ec', STACKED, 'sh', directory];
    const node = [process.execPath, '--input-type=module', '-e', PROGRAM];
    const [command = '', ...args] = [...shell, ...node];
    const { stdout, stderr } = await promisify(execFile)(command, args);
    expect(stderr).toMatch(
      /^A program can watch and lock what others use of \/usr: .*\(mount overlay failed/m,
    );
    expect(stdout.trim()).toBe('/usr ro,nosuid,nodev\n1');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
