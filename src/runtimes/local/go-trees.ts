import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Tree } from '../../launcher/protocol.ts';
import { DELVE_TREE } from '../../toolchains/delve.ts';
import { findDelve } from './delve-build.ts';
import { findGo, type GoInstallation, NO_GO } from './go-release.ts';
import { LauncherUnable } from './launcher-client.ts';

/** Where sandboxes find the toolchain and what was compiled of it. */
const CACHE = 'lib/go-cache';
/** As src/toolchains/go.ts sets them, or the cache is of no use; and on one core. */
const BUILD_ENV = {
  GOTOOLCHAIN: 'local',
  GOPROXY: 'off',
  GOTELEMETRY: 'off',
  GOFLAGS: '-trimpath -p=1',
  GOMAXPROCS: '1',
  CGO_ENABLED: '0',
};

/** What Go's programs need in their environment where their sandbox shows these trees. */
export const GO_ENVIRONMENT = { GOCACHE: `/usr/local/${CACHE}` };

/** Interval at which the machine's load is looked at, milliseconds. */
const LOOK_MS = 10_000;
/** Part of the machine's CPUs below which it counts as idle. */
const IDLE_LOAD = 0.25;

/**
 * The installation and, compiled beforehand, its standard library, as sandboxes are to see them: since Go 1.20 it comes as
 * source only, and compiling it takes a core a minute. That is done once, in the background, into `directory`, which keeps it
 * for the next start. It begins when somebody asks for Go or the machine idles, on one core and at the lowest priority; until
 * it is there, there are no sandboxes for Go, and nothing else waits.
 */
export class GoTrees {
  readonly #directory: string;
  readonly #installation = findGo();
  #trees: Tree[] | undefined;
  #unable = NO_GO;
  #compiling = false;
  #idle: NodeJS.Timeout | undefined;
  readonly #stop = new AbortController();
  readonly #compiled = Promise.withResolvers<void>();

  constructor(directory: string) {
    this.#directory = directory;
    const { version } = this.#installation ?? {};
    if (version === undefined) return;
    if (existsSync(this.#cache(version))) this.#trees = this.#show();
    else {
      const begins = 'which begins with the first program in Go, or when this machine is idle';
      this.#unable = new LauncherUnable(
        `the standard library of Go ${version} waits for being compiled, ${begins}`,
        null,
        version,
      );
      this.#idle = setInterval(() => this.#look(), LOOK_MS).unref();
    }
  }

  /** @throws {LauncherUnable} while they are not there */
  get(): Tree[] {
    if (this.#trees) return this.#trees;
    throw this.#unable;
  }

  /** Resolves when what was being compiled is there. */
  get compiled(): Promise<void> {
    return this.#compiled.promise;
  }

  /** Somebody wants to run Go: compiles the library unless that is done or being done. Returns why there is no Go yet. */
  want(): LauncherUnable | null {
    clearInterval(this.#idle);
    if (this.#trees) return null;
    if (this.#installation && !this.#compiling) this.#compile(this.#installation);
    return this.#unable;
  }

  close(): void {
    clearInterval(this.#idle);
    this.#stop.abort();
  }

  #look(): void {
    if (loadavg()[0]! < IDLE_LOAD * availableParallelism()) this.want();
  }

  #compile({ root, version }: GoInstallation): void {
    this.#compiling = true;
    const reason = `the standard library of Go ${version} is being compiled, which takes some minutes`;
    this.#unable = new LauncherUnable(reason, null, version);
    compileStandardLibrary(root, this.#cache(version), this.#stop.signal)
      .then(() => {
        this.#trees = this.#show();
        this.#compiled.resolve();
      })
      .catch((error: Error) => {
        this.#unable = new LauncherUnable(`Go can't compile its own library: ${error.message}`, null);
      })
      .finally(() => {
        this.#compiling = false;
      });
  }

  #cache(version: string): string {
    return join(this.#directory, `go-cache-${version}`);
  }

  #show(): Tree[] {
    const { root, version } = this.#installation!;
    const debuggerAt = findDelve(this.#installation!);
    return [
      { source: root, target: 'go', programs: { go: 'bin/go', gofmt: 'bin/gofmt' } },
      { source: this.#cache(version), target: CACHE, programs: {} },
      ...(debuggerAt === null ? [] : [{ source: debuggerAt, target: DELVE_TREE, programs: {} }]),
    ];
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
  const low = [
    '--pdeathsig',
    'KILL',
    ...readable,
    'nice',
    '-n',
    '19',
    'ionice',
    '-c',
    '3',
    join(root, 'bin/go'),
  ];
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
