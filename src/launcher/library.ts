import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';

/** What runs inside under Bun, each bundled into one file: its entry below src, and where it goes. */
const BUNDLES = {
  'agent/main.ts': 'agent.js',
  'kernels/javascript/bun.ts': 'javascript/bun.js',
  'kernels/parking/bun.ts': 'parking/bun.js',
};

/**
 * Puts the agent and the kernels together in a directory, as every sandbox finds them in /usr/local/lib/codebeaker.
 * `bun` and `source` (the repository's src) are paths of the host.
 */
export async function makeLibrary(
  { source, bun }: { source: string; bun: string },
  target: string,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  await Promise.all(
    Object.entries(BUNDLES).map(([entry, name]) => bundle(bun, `${source}/${entry}`, `${target}/${name}`)),
  );
  for (const name of ['python', 'parking/python'])
    cpSync(`${source}/kernels/${name}`, `${target}/${name}`, { recursive: true });
}

async function bundle(bun: string, entry: string, outfile: string): Promise<void> {
  const build = spawn(bun, ['build', '--target', 'bun', entry, '--outfile', outfile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  build.stderr.on('data', chunk => (words += chunk));
  const [code] = await once(build, 'close');
  if (code !== 0) throw new Error(words);
}
