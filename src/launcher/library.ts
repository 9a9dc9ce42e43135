import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { AGENT_FILE } from '../agent/artifact.ts';

/** Compiled beforehand, by the Bun that runs it. */
const FOR_BUN = ['--target', 'bun', '--format', 'cjs', '--bytecode'];

/** What runs inside, each bundled into one file: its entry below src, where it goes, and on what. */
const BUNDLES = [
  ['kernels/javascript/bun.ts', 'javascript/bun.js', FOR_BUN],
  ['kernels/prewarm/bun.ts', 'prewarm/bun.js', FOR_BUN],
  ['kernels/javascript/v8/main.ts', 'javascript/v8.mjs', ['--target', 'node']],
  ['kernels/javascript/v8/require.ts', 'javascript/require.mjs', ['--target', 'node']],
  ['kernels/javascript/v8/require.ts', 'javascript/require.cjs', ['--target', 'node', '--format', 'cjs']],
  ['kernels/prewarm/node.ts', 'prewarm/node.cjs', ['--target', 'node', '--format', 'cjs']],
] as const;

/**
 * Puts the agent and the kernels together in a directory, as every sandbox finds them in /usr/local/lib/codebeaker.
 * `bun` and `source` (the repository's src) are paths of the host.
 */
export async function makeLibrary(
  { source, bun }: { source: string; bun: string },
  target: string,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  copyFileSync(AGENT_FILE, `${target}/agent`);
  chmodSync(`${target}/agent`, 0o755);
  await Promise.all(
    BUNDLES.map(([entry, name, options]) =>
      bundle(bun, [...options, `${source}/${entry}`, '--outdir', target, '--entry-naming', name]),
    ),
  );
  for (const name of ['python', 'prewarm/python'])
    cpSync(`${source}/kernels/${name}`, `${target}/${name}`, { recursive: true });
}

async function bundle(bun: string, args: readonly string[]): Promise<void> {
  const build = spawn(bun, ['build', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  build.stderr.on('data', chunk => (words += chunk));
  const [code] = await once(build, 'close');
  if (code !== 0) throw new Error(words);
}
