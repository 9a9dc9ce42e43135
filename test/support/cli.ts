import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

const ROOT = join(import.meta.dirname, '../..');
export const CLI = join(ROOT, 'src/cli/codebeaker.ts');
/** Variables of its every process. What Node.js has compiled is kept where the server's is: to compile it anew is two thirds of most. */
export const CLI_ENV = {
  PATH: process.env.PATH!,
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/codebeaker'),
};

/** The command line as a process of its own, which is not waited for. */
export function startCli(args: readonly string[], env: Record<string, string> = {}) {
  return spawn(process.execPath, [CLI, ...args], { env: { ...CLI_ENV, ...env } });
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
