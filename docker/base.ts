import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type Engine, EngineUnable } from '../src/runtimes/docker/engine.ts';
import { follow } from '../src/runtimes/docker/progress.ts';
import { asRoot } from '../src/runtimes/local/remedies.ts';

/** What every image is built on. */
export const BASE = 'codebeaker-base:latest';
const RELEASE = 'bookworm';
const FROM_REGISTRY = `debian:${RELEASE}-slim`;
/** A registry that can't be reached is found out in this time. */
const PULL_MS = 120_000;

/**
 * Puts the base on the engine: pulled, or where no registry of images can be reached, made from Debian's packages on
 * this machine. @throws {EngineUnable | Error} with a sentence
 */
export async function makeBase(engine: Engine, say: (line: string) => void): Promise<void> {
  if (await engine.has(docker => docker.getImage(BASE).inspect())) return say(`${BASE} is there`);
  try {
    say(`pulling ${FROM_REGISTRY}`);
    await pull(engine, FROM_REGISTRY, say);
    await engine.call(docker =>
      docker.getImage(FROM_REGISTRY).tag({ repo: 'codebeaker-base', tag: 'latest' }),
    );
  } catch (error) {
    say(`no registry of images: ${(error as Error).message}`);
    say(`making ${BASE} from Debian's packages; this takes half a minute`);
    await bootstrap(engine);
  }
}

/** @throws {EngineUnable} */
export async function pull(engine: Engine, image: string, say: (line: string) => void): Promise<void> {
  await engine.call(async docker => follow((await docker.pull(image)) as Readable, say), PULL_MS);
}

/** As small as Debian gets, and without documentation. */
async function bootstrap(engine: Engine): Promise<void> {
  const without = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
  const make = spawn(
    'mmdebstrap',
    [
      ...['--variant=minbase', '--quiet', '--aptopt=Acquire::Languages "none"'],
      ...without.map(path => `--dpkgopt=path-exclude=${path}`),
      // It takes the machine's own for as long as it works.
      '--customize-hook=rm -f "$1"/etc/resolv.conf "$1"/etc/hostname',
      ...[RELEASE, '-'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = endOf(make);
  const imported = engine.call(async docker => {
    const answer = await docker.importImage(make.stdout as never, { repo: 'codebeaker-base', tag: 'latest' });
    await follow(answer as Readable);
  }, 10 * PULL_MS);
  await Promise.all([ended, imported]);
}

async function endOf(make: ChildProcess): Promise<void> {
  const [code] = await once(make, 'exit').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new EngineUnable('mmdebstrap is not installed', asRoot('apt-get install -y mmdebstrap'));
  });
  if (code !== 0) throw new EngineUnable(`mmdebstrap failed with exit code ${code}`);
}
