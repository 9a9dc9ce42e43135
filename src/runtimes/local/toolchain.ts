import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Interpreters that lie on this machine, as host paths. */
export interface Toolchain {
  /** Runs the agent too: nothing works without it. */
  readonly bun: string;
  /** What every local sandbox finds in /usr/local/bin. */
  readonly programs: readonly { readonly name: string; readonly path: string }[];
  /** Whether there is any Python. */
  readonly python: boolean;
  /** A Python that is installed outside /usr. */
  readonly pythonPrefix: { readonly prefix: string; readonly executable: string } | null;
}

/** Where install scripts did not run, a few lines of text may stand in for a binary. */
const PLACEHOLDER_BYTES = 1024 * 1024;

const require = createRequire(import.meta.url);

/** Finds what npm brought and this machine's Python. Null without Bun. */
export function findToolchain(): Toolchain | null {
  const bun = packaged('bun', 'bin/bun.exe');
  if (!bun) return null;
  const programs = [{ name: 'bun', path: bun }];
  const deno = packaged('deno', 'deno');
  if (deno) programs.push({ name: 'deno', path: deno });
  const node = packaged('node', 'bin/node');
  if (node) programs.push({ name: 'node', path: node });
  if (existsSync('/usr/bin/python3')) return { bun, programs, python: true, pythonPrefix: null };
  const pythonPrefix = foreignPython();
  return { bun, programs, python: pythonPrefix !== null, pythonPrefix };
}

/** A binary inside an npm package; null when its install script did not run. */
function packaged(name: string, file: string): string | null {
  try {
    const path = realpathSync(join(dirname(require.resolve(`${name}/package.json`)), file));
    return statSync(path).size > PLACEHOLDER_BYTES ? path : null;
  } catch {
    return null;
  }
}

/** The python3 on PATH may be a version manager's shim: it says itself where it really lies. */
function foreignPython(): { prefix: string; executable: string } | null {
  try {
    const script = 'import sys, os; print(sys.base_prefix); print(os.path.realpath(sys.executable))';
    const [prefix = '', executable = ''] = execFileSync('python3', ['-I', '-c', script], {
      encoding: 'utf8',
    }).split('\n');
    return executable.startsWith(`${prefix}/`) && !prefix.startsWith('/usr') ? { prefix, executable } : null;
  } catch {
    return null;
  }
}
