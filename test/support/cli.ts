import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

export const CLI = join(import.meta.dirname, '../../src/cli/codebeaker.ts');

/** The command line as a process of its own, which is not waited for. */
export function startCli(args: readonly string[], env: Record<string, string> = {}) {
  return spawn(process.execPath, [CLI, ...args], { env: { PATH: process.env.PATH!, ...env } });
}

/** Runs it to its end with that as standard input. */
export async function cli(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string | Uint8Array } = {},
) {
  const child = startCli(args, env);
  // It may end before it has read all.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    child.exitCode ?? once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout: stdout.toString(), stderr: stderr.toString(), bytes: stdout };
}
