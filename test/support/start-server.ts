import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Starts the real service as a user does, as a process of its own on a free port of 127.0.0.1 with a data directory
 * of its own. This folder holds what tests of the whole service need; it imports nothing of src/.
 */
export interface RunningServer {
  /** e.g. `http://127.0.0.1:40123` */
  readonly url: string;
  readonly wsUrl: string;
  readonly pid: number;
  readonly dataDir: string;
  /** All it has printed so far. */
  log(): string;
  /** Ends it as `kill` does and removes its data directory; resolves to its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a crash does; the data directory stays. */
  kill9(): Promise<void>;
}

export interface StartOptions {
  /** Variables beside the few that every test server gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** A directory to go on with, e.g. of a server that was killed. */
  readonly dataDir?: string;
  /** Descriptors that it may have open at first, below its hard limit. */
  readonly openFiles?: number;
  /** It leads a session of its own, as what starts services has it. */
  readonly leads?: boolean;
}

const ROOT = join(import.meta.dirname, '../..');
/** Names the data directory of the server that tests share, for the workers of a run. */
export const SHARED_DATA_DIR = 'TESTS_SHARED_DATA_DIR';
const START_MS = 100_000;
/**
 * Enough for what is the service's own, and started in 2 s: containers take another 7 to try, and Go would compile its
 * standard library into each new data directory. A test of a certain runtime asks for it.
 */
const FEW_RUNTIMES = 'Python,Bun';
/** All that are there at once. */
export const ALL_BUT_GO = 'Bun,Deno,NodeJs,Python,Docker';
/** For setpriv: what it becomes does not outlive tests that were killed. */
const DIES_WITH_TESTS = ['--pdeathsig', 'KILL'];

/** A secret that no program may ever see: every test server has it in its environment. */
export const SERVER_SECRET = 'hush-4f1c9d';

/** Starts a server and waits until it is ready to run code. */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const { server, ready } = await beginServer(options);
  await ready(START_MS);
  return server;
}

/**
 * Starts a server and waits until it answers; that it can run code, or has ended, is told by `ready`, which is given up after so
 * many milliseconds.
 */
export async function beginServer(options: StartOptions = {}) {
  const dataDir = options.dataDir ?? (await newDataDir());
  const { child, log } = launch(dataDir, options);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const prints = async (pattern: RegExp, ms: number): Promise<RegExpExecArray> => {
    try {
      return await until({ child, log, ms }, () => pattern.exec(log()));
    } catch (error) {
      child.kill('SIGKILL');
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      throw error;
    }
  };
  const [, url] = await prints(/^CodeBeaker \S+ starts on (\S+)/m, START_MS);
  const server: RunningServer = {
    url: url!,
    wsUrl: `${url!.replace('http', 'ws')}/ws/jsonrpc`,
    pid: child.pid as number,
    dataDir,
    log,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      await rm(dataDir, { recursive: true, force: true });
      return code;
    },
    async kill9() {
      child.kill('SIGKILL');
      await exited;
    },
  };
  return { server, ready: (ms: number) => prints(/^CodeBeaker (listens on|can run no code)/m, ms) };
}

/** With the kernels that the shared server has bundled and what it has compiled of Go, because each new directory would have the same made again. */
async function newDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'codebeaker-test-'));
  const shared = process.env[SHARED_DATA_DIR];
  for (const name of shared ? await readdir(shared) : []) {
    if (/^library-[0-9a-f]+$/.test(name))
      await cp(join(shared!, name), join(dataDir, name), { recursive: true });
    if (/^go-cache-[\d.]+$/.test(name)) await symlink(join(shared!, name), join(dataDir, name));
  }
  return dataDir;
}

/** Starts a server that is expected to refuse to start; resolves to what it printed and its exit code. */
export async function failToStart(options: StartOptions = {}): Promise<{ code: number | null; log: string }> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'codebeaker-test-')));
  const { child, log } = launch(dataDir, options);
  const deadline = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(deadline);
  if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  return { code, log: log() };
}

/**
 * Its process, which is not ready yet. Nothing of the tests' own environment reaches it, so that a developer's settings
 * change no result.
 */
export function launch(dataDir: string, { env, openFiles, leads = false }: StartOptions) {
  const limited = openFiles === undefined ? [] : ['prlimit', `--nofile=${openFiles}:`];
  const child = spawn(
    '/usr/bin/setpriv',
    [...DIES_WITH_TESTS, ...limited, process.execPath, 'src/server.mjs'],
    {
      cwd: ROOT,
      detached: leads,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '/usr/bin:/bin',
        HOME: process.env.HOME ?? '/',
        HOST: '127.0.0.1',
        PORT: '0',
        CODEBEAKER_DATA_DIR: dataDir,
        A_SECRET_OF_THE_SERVER: SERVER_SECRET,
        CODEBEAKER_RUNTIMES: FEW_RUNTIMES,
        // Tests end servers in which much runs.
        CODEBEAKER_DRAIN_SECONDS: '0',
        ...(process.env.XDG_RUNTIME_DIR && { XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR }),
        ...env,
      },
    },
  );
  let text = '';
  child.stdout.on('data', chunk => {
    text += chunk;
  });
  child.stderr.on('data', chunk => {
    text += chunk;
  });
  return { child, log: () => text };
}

interface Waiting {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly ms: number;
}

async function until<T>({ child, log, ms }: Waiting, look: () => T | null): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = look();
    if (found !== null) return found;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended:\n${log()}`);
    if (Date.now() > deadline) throw new Error(`the server is not ready after ${ms} ms:\n${log()}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
