import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Tree } from '../launcher/protocol.ts';

/** Interpreters installed on this machine, as host paths. */
export interface Interpreters {
  /** Runs the launcher too: nothing works without it. */
  readonly bun: string;
  /** Programs of every local sandbox in /usr/local/bin. */
  readonly programs: readonly { readonly name: string; readonly path: string }[];
  /** Whether Python 3 was found. */
  readonly python: boolean;
  /** Installations outside /usr, such as a version manager's Python. */
  readonly trees: readonly Tree[];
}

/** Files smaller than this are placeholders: the package's install script did not run. */
const PLACEHOLDER_BYTES = 1024 * 1024;

const require = createRequire(import.meta.url);

/** Finds what npm brought and this machine's Python. Null without Bun. */
export function findInterpreters(): Interpreters | null {
  const bun = packaged('bun', 'bin/bun.exe');
  if (!bun) return null;
  const programs = [{ name: 'bun', path: bun }];
  const deno = packaged('deno', 'deno');
  if (deno) programs.push({ name: 'deno', path: deno });
  const node = packaged('node', 'bin/node');
  if (node) programs.push({ name: 'node', path: node });
  if (existsSync('/usr/bin/python3')) return { bun, programs, python: true, trees: [] };
  const python = foreignPython();
  return { bun, programs, python: python !== null, trees: python ? [python] : [] };
}

/** The headers that npm brought with Node.js, and its version; null without. */
export function findNodeHeaders(): { directory: string; version: string } | null {
  try {
    const from = createRequire(require.resolve('node/package.json'));
    const brought = from.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const directory = join(dirname(brought), 'include/node');
    return existsSync(directory) ? { directory, version: from(brought).version } : null;
  } catch {
    return null;
  }
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

/** The python3 on PATH may be a version manager's shim, so it is asked for its real location. */
function foreignPython(): Tree | null {
  try {
    const script = 'import sys, os; print(sys.base_prefix); print(os.path.realpath(sys.executable))';
    const [prefix = '', executable = ''] = execFileSync('python3', ['-I', '-c', script], {
      encoding: 'utf8',
    }).split('\n');
    if (!executable.startsWith(`${prefix}/`) || prefix.startsWith('/usr')) return null;
    return { source: prefix, target: 'python', programs: { python3: executable.slice(prefix.length + 1) } };
  } catch {
    return null;
  }
}
