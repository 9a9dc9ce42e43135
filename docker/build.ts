import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-fs';
import { Engine } from '../src/runtimes/docker/engine.ts';
import { follow } from '../src/runtimes/docker/progress.ts';
import { findInterpreters } from '../src/runtimes/interpreters.ts';
import { buildDelve } from '../src/runtimes/local/delve-build.ts';
import { fetchGo, findGo } from '../src/runtimes/local/go-release.ts';
import { BASE, makeBase, pull } from './base.ts';

/**
 * Builds the languages' images on the engine: all of them, or those named. What is built already and has not changed
 * since is left alone. An image holds a language and nothing of the service: the agent comes by a volume.
 */

const ROOT = import.meta.dirname;
const EVERY_PYTHON = join(ROOT, '../src/kernels/every-python');
const BUILD_MS = 30 * 60_000;
const HASH = 'codebeaker.content';
const SDK = 'mcr.microsoft.com/dotnet/sdk:9.0';

/** Of an installation of Go, what no program needs. */
const GO_WITHOUT = ['.git', 'api', 'doc', 'misc', 'pkg/obj', 'test'];

/** What is built before an image of that name, and given to its Dockerfile. */
const PREPARE: Readonly<
  Record<string, (context: string, engine: Engine) => Promise<Record<string, string>>>
> = {
  async nodejs(context) {
    const node = findInterpreters()?.programs.find(({ name }) => name === 'node');
    if (!node) throw new Error('the npm package node has no binary (cure: npm rebuild node)');
    copyFileSync(node.path, join(context, 'node'));
    return {};
  },
  /** The machine's own, so that programs find the same Go on every runtime. */
  async golang(context) {
    const go = findGo() ?? (await fetchGo());
    say('golang')(`Go ${go.version} of ${go.root}`);
    const skip = GO_WITHOUT.map(name => join(go.root, name));
    cpSync(go.root, join(context, 'go'), {
      recursive: true,
      dereference: true,
      filter: path => !skip.includes(path),
    });
    const debuggerAt = await buildDelve(go).catch((error: Error) => {
      // Its modules come from a proxy, and Go is of use without it.
      say('golang')(`no debugger: ${error.message}`);
      return null;
    });
    if (debuggerAt === null) mkdirSync(join(context, 'delve'));
    else cpSync(debuggerAt, join(context, 'delve'), { recursive: true });
    return {};
  },
  /** What every Python in a sandbox does at its start. */
  async python(context) {
    cpSync(EVERY_PYTHON, join(context, 'every-python'), { recursive: true });
    return {};
  },
  /** The SDK where it can be had, Mono where not. */
  async dotnet(_context, engine) {
    try {
      await pull(engine, SDK, say('dotnet'));
      return { BASE: SDK, TOOLCHAIN: 'sdk' };
    } catch (error) {
      say('dotnet')(`no .NET SDK: ${(error as Error).message}; taking Mono`);
      return { TOOLCHAIN: 'mono' };
    }
  },
};

function say(name: string): (line: string) => void {
  return line => console.log(`${name.padEnd(7)} ${line}`);
}

/** Builds an image from its folder and the shared one; what it needs beside is prepared while the base is made. */
async function build(engine: Engine, name: string, base: Promise<void>): Promise<void> {
  const tag = `codebeaker-${name}:latest`;
  const context = mkdtempSync(join(tmpdir(), 'codebeaker-image-'));
  try {
    for (const part of ['shared', name]) cpSync(join(ROOT, part), context, { recursive: true });
    const buildargs = (await PREPARE[name]?.(context, engine)) ?? {};
    await base;
    const content = await contentOf(engine, context, buildargs);
    if ((await labelOf(engine, tag)) === content) return say(name)(`${tag} is up to date`);
    const options = { t: tag, buildargs, labels: { [HASH]: content }, rm: true, forcerm: true };
    await engine.call(
      async docker => follow((await docker.buildImage(pack(context), options)) as Readable, say(name)),
      BUILD_MS,
    );
    say(name)(`built ${tag}`);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Changes with the files, the arguments and the base. */
async function contentOf(engine: Engine, context: string, args: Record<string, string>): Promise<string> {
  const base = await engine.call(docker => docker.getImage(args.BASE ?? BASE).inspect());
  const hash = createHash('sha256').update(base.Id).update(JSON.stringify(args));
  for (const file of globSync('**/*', { cwd: context }).sort()) {
    const path = join(context, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex');
}

async function labelOf(engine: Engine, image: string): Promise<string | undefined> {
  const inspect = (docker: Docker) => docker.getImage(image).inspect();
  if (!(await engine.has(inspect))) return undefined;
  return (await engine.call(inspect)).Config?.Labels?.[HASH];
}

const all = globSync('*/Dockerfile', { cwd: ROOT })
  .map(path => path.split('/')[0]!)
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no image ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  process.exit(2);
}
function tell(error: unknown): void {
  const { message, remedy } = error as { message: string; remedy?: string | null };
  console.error(`The images could not be built: ${message}${remedy ? ` (cure: ${remedy})` : ''}`);
  process.exitCode = 1;
}

try {
  const engine = new Engine();
  const base = makeBase(engine, say('base'));
  const names = wanted.length > 0 ? wanted : all;
  const ends = await Promise.allSettled([base, ...names.map(name => build(engine, name, base))]);
  // Where the base could not be made, the same failure is every image's.
  for (const failure of new Set(ends.flatMap(end => (end.status === 'rejected' ? [end.reason] : []))))
    tell(failure);
} catch (error) {
  tell(error);
}
