import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FETCHED, type GoInstallation } from './go-release.ts';

const SOURCES = fileURLToPath(new URL('../../delve', import.meta.url));
/** Of what nothing is compiled yet it takes a core a minute and a half; the rest is what its modules' proxy takes. */
const BUILD_MS = 15 * 60_000;
const PROGRAM = 'adapter';

/** The directory of Go's debugger, built by this installation from the sources that are here; null where that was not done. */
export function findDelve(go: GoInstallation): string | null {
  const directory = directoryFor(go);
  return existsSync(join(directory, PROGRAM)) ? directory : null;
}

/**
 * Builds it to where `findDelve` looks, from modules that the proxy of GOPROXY has and go.sum knows; what Go compiles of them it keeps for
 * the next time. @throws {Error} with a sentence
 */
export async function buildDelve(go: GoInstallation): Promise<string> {
  const directory = directoryFor(go);
  if (findDelve(go)) return directory;
  const unfinished = `${directory}.${process.pid}`;
  const env = { ...process.env, GOFLAGS: '-trimpath', GOTOOLCHAIN: 'local', GOWORK: 'off', CGO_ENABLED: '0' };
  mkdirSync(unfinished, { recursive: true });
  try {
    await promisify(execFile)(
      join(go.root, 'bin/go'),
      ['build', '-buildvcs=false', '-ldflags=-s -w', '-o', join(unfinished, PROGRAM), '.'],
      { cwd: SOURCES, env, timeout: BUILD_MS },
    );
    // It is run by sandboxes' users, whatever files of whoever builds it are allowed by default.
    for (const path of [unfinished, join(unfinished, PROGRAM)]) chmodSync(path, 0o755);
    renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}

function directoryFor({ version }: GoInstallation): string {
  const hash = createHash('sha256').update(`${version} ${process.arch}`);
  for (const name of globSync('*', { cwd: SOURCES }).sort())
    hash.update(name).update(readFileSync(join(SOURCES, name)));
  return join(FETCHED, `delve-${hash.digest('hex').slice(0, 16)}`);
}
