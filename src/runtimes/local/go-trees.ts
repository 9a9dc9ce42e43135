import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Tree } from '../../launcher/protocol.ts';
import { LauncherUnable } from './launcher-client.ts';
import { asRoot } from './remedies.ts';

/** Where sandboxes find the toolchain and what was compiled of it. */
const CACHE = 'lib/go-cache';
/** As src/toolchains/go.ts sets them: the cache is of use to no other settings. */
const BUILD_ENV = {
  GOTOOLCHAIN: 'local',
  GOPROXY: 'off',
  GOTELEMETRY: 'off',
  GOFLAGS: '-trimpath',
  CGO_ENABLED: '0',
};

/** What Go's programs need in their environment where their sandbox shows these trees. */
export const GO_ENVIRONMENT = { GOCACHE: `/usr/local/${CACHE}` };

export interface GoInstallation {
  readonly root: string;
  /** e.g. `1.26.8` */
  readonly version: string;
}

/** The newest Go on this machine: on the PATH, or where it is usually put. */
export function findGo(): GoInstallation | null {
  const onPath = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'go'));
  const places = ['/usr/local/go/bin/go', '/usr/lib/go/bin/go', ...onPath];
  const found = places.flatMap(path => {
    try {
      const root = dirname(dirname(realpathSync(path)));
      const version = /^go(\d+(?:\.\d+)*)/.exec(readFileSync(join(root, 'VERSION'), 'utf8'))?.[1];
      return version ? [{ root, version }] : [];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))[0] ?? null;
}

/**
 * The installation and, compiled beforehand, its standard library, as sandboxes are to see them: since Go 1.20 it comes as
 * source only, and compiling it takes a core half a minute. That is done once, in the background, into `directory`,
 * which keeps it for the next start; until then there are no sandboxes for Go, and nothing else waits.
 */
export class GoTrees {
  readonly #directory: string;
  #trees: Tree[] | undefined;
  #unable = new LauncherUnable('no Go toolchain is installed', asRoot('apt-get install -y golang-go'));
  #compiling = false;
  readonly #stop = new AbortController();
  readonly #compiled = Promise.withResolvers<void>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws {LauncherUnable} while they are not there */
  get(): Tree[] {
    if (!this.#trees && !this.#compiling) this.#prepare();
    if (this.#trees) return this.#trees;
    throw this.#unable;
  }

  /** Resolves when what was being compiled is there. */
  get compiled(): Promise<void> {
    return this.#compiled.promise;
  }

  close(): void {
    this.#stop.abort();
  }

  #prepare(): void {
    const found = findGo();
    if (!found) return;
    const { root, version } = found;
    const cache = join(this.#directory, `go-cache-${version}`);
    const trees = [
      { source: root, target: 'go', programs: { go: 'bin/go', gofmt: 'bin/gofmt' } },
      { source: cache, target: CACHE, programs: {} },
    ];
    if (existsSync(cache)) {
      this.#trees = trees;
      return;
    }
    this.#compiling = true;
    this.#unable = new LauncherUnable(`the standard library of Go ${version} is being compiled`, null);
    compileStandardLibrary(root, cache, this.#stop.signal)
      .then(() => {
        this.#trees = trees;
        this.#compiled.resolve();
      })
      .catch((error: Error) => {
        this.#unable = new LauncherUnable(`Go can't compile its own library: ${error.message}`, null);
      })
      .finally(() => {
        this.#compiling = false;
      });
  }
}

async function compileStandardLibrary(root: string, cache: string, signal: AbortSignal): Promise<void> {
  for (const old of readdirSync(dirname(cache))) {
    if (old.startsWith('go-cache-')) rmSync(join(dirname(cache), old), { recursive: true, force: true });
  }
  const unfinished = `${cache}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  // Sandboxes read it, as other users; it lies in a directory that nobody else can enter.
  chmodSync(unfinished, 0o755);
  const env = { ...BUILD_ENV, GOCACHE: unfinished, HOME: unfinished, PATH: process.env.PATH };
  // At the lowest priority, and gone with the server.
  const readable = ['sh', '-c', 'umask 022; exec "$@"', 'sh'];
  const low = ['--pdeathsig', 'KILL', ...readable, 'nice', '-n', '19', join(root, 'bin/go')];
  // Its tools are compiled when they are first used, too.
  for (const args of [
    ['build', '-o', '/dev/null', 'std'],
    ['vet', 'errors'],
    ['test', '-run', 'NONE', 'errors'],
  ]) {
    await promisify(execFile)('setpriv', [...low, ...args], { env, cwd: '/', signal });
  }
  renameSync(unfinished, cache);
}
