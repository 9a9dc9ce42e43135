import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { failsForGood } from './fails-for-good.ts';
import { madeOnThisMachine } from './leftovers.ts';
import { ModuleProxyServer, module } from './module-proxy.ts';
import { beginServer, type RunningServer, SHARED_DATA_DIR } from './start-server.ts';
import { familyOf, remains, vanishes } from './traces.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server that most tests share, because starting one takes a second. */
    server: SharedServer;
  }
}

export interface SharedServer {
  readonly url: string;
  readonly wsUrl: string;
  readonly pid: number;
}

/** One for all projects whose tests use it, for each of which this module is loaded anew. */
declare global {
  var sharedServer: Promise<RunningServer> | undefined;
}

/** Modules of Go that it installs. */
const MODULES = [
  module('greets.test/greets', 'v1.0.0', { 'it.go': 'package greets\n\nconst Text = "greets, the first"\n' }),
  module(
    'greets.test/greets',
    'v1.1.0',
    {
      'it.go':
        'package greets\n\nimport "greets.test/Words/v2"\n\nfunc Map[T any](all []T, by func(T) T) (mapped []T) {\n\tfor _, each := range all {\n\t\tmapped = append(mapped, by(each))\n\t}\n\treturn\n}\n\nconst Text = words.Text + ", the second"\n',
    },
    { requires: { 'greets.test/Words/v2': 'v2.3.4' } },
  ),
  module('greets.test/Words/v2', 'v2.3.4', { 'words.go': 'package words\n\nconst Text = "greets"\n' }),
];

let running: RunningServer | undefined;
let modules: ModuleProxyServer | undefined;
let directory: string | undefined;
let before: ReadonlySet<string> = new Set();
let ready: Promise<void> | undefined;

export async function setup(project: TestProject): Promise<void> {
  globalThis.sharedServer ??= start();
  const { url, wsUrl, pid } = await globalThis.sharedServer;
  project.provide('server', { url, wsUrl, pid });
}

async function start(): Promise<RunningServer> {
  before = new Set(madeOnThisMachine());
  // Whatever tests put into the directory for temporary files goes with them, also when they fail.
  directory = await mkdtemp(join(tmpdir(), 'codebeaker-tests-'));
  // Some tests have another user come through.
  await chmod(directory, 0o711);
  process.env.TMPDIR = directory;
  const dataDir = await mkdtemp(join(directory, 'shared-'));
  process.env[SHARED_DATA_DIR] = dataDir;
  await reuseGoLibrary(dataDir);
  const { CODEBEAKER_FORK = 'on' } = process.env;
  modules = await ModuleProxyServer.start(...MODULES);
  const begun = await beginServer({
    dataDir,
    env: { ...modules.env, CODEBEAKER_RUNTIMES: '', CODEBEAKER_FORK },
  });
  running = begun.server;
  // Tests without it run meanwhile; those with it wait for that file (shared-server-ready.ts).
  ready = becomesReady(begun).then(
    () => writeFile(readyFile(), READY),
    error => writeFile(readyFile(), String(error.stack)),
  );
  return running;
}

async function becomesReady({ server, ready }: Awaited<ReturnType<typeof beginServer>>): Promise<void> {
  await ready(READY_MS);
  await goIsReady(server.url);
  await keepGoLibrary(server.dataDir);
  if (process.env.TEST_ALL_RUNTIMES) await hasAllRuntimes(server.url);
}

/** Tests run over the runtimes that there are: where all should be, one that is missing would only make them fewer. */
async function hasAllRuntimes(url: string): Promise<void> {
  const { runtimes } = (await (await fetch(`${url}/health`)).json()) as {
    runtimes: Record<string, { available: boolean; reason?: string }>;
  };
  const missing = Object.entries(runtimes).filter(([, { available }]) => !available);
  if (missing.length > 0) throw new Error(`runtimes are missing: ${JSON.stringify(missing)}`);
}

/** Fails the run when anything of all its cases is still there. Projects are torn down after all have run. */
export async function teardown(): Promise<void> {
  const started = directory;
  // Once for all projects.
  directory = undefined;
  if (started === undefined) return;
  try {
    await end(started);
  } catch (error) {
    failsForGood();
    throw error;
  }
}

async function end(directory: string): Promise<void> {
  await ready;
  const family = running && familyOf(running.pid);
  await running?.stop();
  await modules?.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  const left = await vanishes(
    () => [...(family ? remains(family) : []), ...madeOnThisMachine().filter(made => !before.has(made))],
    LEAVE_MS,
  );
  if (left.length > 0) throw new Error(`left on this machine:\n${left.join('\n')}`);
}

/** Go's standard library, compiled, outlives a run and a clone: compiling it takes a core a minute or more. */
const KEPT = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'codebeaker-tests');

async function goLibraries(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter(name => /^go-cache-[\d.]+$/.test(name));
}

async function reuseGoLibrary(dataDir: string): Promise<void> {
  for (const name of await goLibraries(KEPT)) await symlink(join(KEPT, name), join(dataDir, name));
}

async function keepGoLibrary(dataDir: string): Promise<void> {
  const kept = await goLibraries(KEPT);
  for (const name of (await goLibraries(dataDir)).filter(each => !kept.includes(each))) {
    const partial = join(KEPT, `${name}.${process.pid}`);
    await mkdir(KEPT, { recursive: true });
    await cp(join(dataDir, name), partial, { recursive: true });
    // Another run may have kept it meanwhile.
    await rename(partial, join(KEPT, name)).catch(() => rm(partial, { recursive: true }));
  }
}

/** Asks for Go, because its standard library is compiled only then, and waits: tests would find it missing meanwhile. */
async function goIsReady(url: string): Promise<void> {
  const body = JSON.stringify({ language: 'go', runtimeType: 'Go', code: 'package main\nfunc main() {}' });
  await fetch(`${url}/api/execution`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  for (let waited = 0; waited < GO_MS; waited += LOOK_MS) {
    const { runtimes } = (await (await fetch(`${url}/health`)).json()) as {
      runtimes: { Go: { reason?: string } };
    };
    if (!/being compiled/.test(runtimes.Go.reason ?? '')) return;
    await sleep(LOOK_MS);
  }
}

/** Says that the server is ready, or why it never will be. */
export const readyFile = () => join(tmpdir(), 'shared-server-ready');
export const READY = 'ready';

/** Nothing ends this wait but itself: it tries all runtimes, and other tests may have the machine meanwhile. */
const READY_MS = 300_000;
/** Containers of a server that was killed end by themselves within this. */
const LEAVE_MS = 30_000;
const GO_MS = 300_000;
const LOOK_MS = 1000;
