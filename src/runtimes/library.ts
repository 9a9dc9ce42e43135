import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_FILE, agentMissing, HOLD_FILE } from '../agent/artifact.ts';
import { assembleFilter } from '../seccomp/filter.ts';
import { compileAhead } from './compile-ahead.ts';
import { findInterpreters } from './interpreters.ts';
import { BUNDLES, BundleUnable, bundleKernels } from './kernel-bundles.ts';

/** Packages that are bundled with them. */
const PACKAGES = ['acorn', '@sveltejs/acorn-typescript'];
/**
 * Directories below src/kernels, and where they go. Warnings of Python skip the frames of files whose names have `importlib` and
 * `_bootstrap` in them (_warnings.c), and so never name a kernel's file.
 */
const COPIED = [
  ['python', 'python/importlib_bootstrap'],
  ['prewarm/python', 'prewarm/python'],
  ['every-python', 'every-python'],
] as const;

const KERNELS = fileURLToPath(new URL('../kernels', import.meta.url));
/** What package managers find and say where there is no network. */
const OFFLINE = fileURLToPath(new URL('./offline', import.meta.url));
/** Certificates to trust, where programs may have a network. */
const CERTIFICATES = 'certificates.pem';
const NOTICE = readFileSync(join(OFFLINE, 'notice'), 'utf8').trim().split('\n');
/** What pip reads, and then says: that it may not touch this Python (PEP 668), and of an index that is a sentence. Both hold with a network, too. */
const PIP_NOTICE = NOTICE.join('\n ').replace(
  /^[^.]*\./,
  'Where there is no network in this sandbox, nothing can be downloaded, and where there is one, pip has to be told an index by --index-url.',
);
const FOR_PIP = {
  'externally-managed': `[externally-managed]\nError=${PIP_NOTICE}\n`,
  'pip.conf': `[global]\nindex-url = file:///${PIP_NOTICE.replaceAll('\n ', ' ')}\n`,
};
/** What holds Bun before its program. */
const HELD_BUN = 'prewarm/bun';
/**
 * Bun loads a file of the package of this name in its main thread, and every other one in threads of a pool, without which a fork would
 * be (Bun 1.4). Where it does not, nothing is forked: the addon looks.
 */
const LOADED_AT_ONCE = 'reflect-metadata';
/** The filter on system calls that agents of containers put themselves under. */
export const FILTER = 'filter';
const SOURCE = /\.(?:ts|py|pth)$/;
const NAME = /^library-[0-9a-f]{16}/;
const HASH_LENGTH = 16;
/** Older versions are removed after this long, milliseconds. */
const OLD_MS = 7 * 24 * 3600 * 1000;

/** The library can't be built; the message is a sentence. */
export class LibraryUnable extends Error {
  readonly remedy: string | null;
  constructor(reason: string, remedy: string | null) {
    super(reason);
    this.remedy = remedy;
  }
}

export interface LibraryFiles {
  /** Hash of the sources. */
  readonly hash: string;
  readonly directory: string;
}

/**
 * The files in every sandbox's /usr/local/lib/codebeaker: the agent and the kernels. Built once per hash of
 * the sources and kept in `dataDir`, so that only the first start after a change builds. Safe for concurrent
 * starts.
 */
export class SandboxLibrary {
  readonly #dataDir: string;
  readonly #certificates: string | null;
  #made: Promise<LibraryFiles> | undefined;

  /** `certificates`: what programs with a network are to trust, in PEM; null where none has one. */
  constructor(dataDir: string, certificates: string | null = null) {
    this.#dataDir = dataDir;
    this.#certificates = certificates;
  }

  /** @throws {LibraryUnable} */
  get(): Promise<LibraryFiles> {
    this.#made ??= this.#make().catch(error => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  async #make(): Promise<LibraryFiles> {
    const missing = agentMissing();
    if (missing) throw new LibraryUnable(missing.reason, missing.cure);
    const found = findInterpreters();
    if (!found) throw new LibraryUnable('the npm package bun has no binary', 'npm rebuild bun');
    const node = found.programs.find(({ name }) => name === 'node')?.path ?? null;
    const builders = { bun: found.bun, node };
    const hash = hashOf(builders, this.#certificates);
    const directory = join(this.#dataDir, `library-${hash}`);
    if (!existsSync(directory)) {
      this.#removeOld();
      const unfinished = `${directory}.${randomBytes(4).toString('hex')}`;
      try {
        await build(builders, unfinished);
        if (this.#certificates !== null) writeFileSync(join(unfinished, CERTIFICATES), this.#certificates);
        renameSync(unfinished, directory);
      } catch (error) {
        rmSync(unfinished, { recursive: true, force: true });
        // Another server may have built it meanwhile.
        if (!existsSync(directory)) throw error;
      }
    }
    return { hash, directory };
  }

  #removeOld(): void {
    for (const name of readdirSync(this.#dataDir).filter(each => NAME.test(each))) {
      const path = join(this.#dataDir, name);
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > OLD_MS) rmSync(path, { recursive: true, force: true });
    }
  }
}

/** What makes a library; null: kernels of Node.js are not compiled ahead. */
interface Builders {
  readonly bun: string;
  readonly node: string | null;
}

/** Hash of all sources of the library. */
function hashOf({ bun, node }: Builders, certificates: string | null): string {
  const hash = createHash('sha256').update(JSON.stringify([BUNDLES, COPIED, FOR_PIP, certificates]));
  const sources = readdirSync(KERNELS, { encoding: 'utf8', recursive: true }).filter(name =>
    SOURCE.test(name),
  );
  for (const name of sources.sort()) hash.update(`\0${name}\0`).update(readFileSync(join(KERNELS, name)));
  for (const name of readdirSync(OFFLINE).sort())
    hash.update(`\0${name}\0`).update(readFileSync(join(OFFLINE, name)));
  for (const name of PACKAGES) hash.update(readFileSync(fileURLToPath(import.meta.resolve(name))));
  for (const program of node ? [bun, node] : [bun]) {
    // package.json beside the binary has its version.
    const version = join(dirname(dirname(program)), 'package.json');
    hash.update('\0').update(existsSync(version) ? readFileSync(version) : basename(program));
  }
  hash.update('\0').update(filter());
  for (const file of [AGENT_FILE, HOLD_FILE]) hash.update('\0').update(readFileSync(file));
  return hash.digest('hex').slice(0, HASH_LENGTH);
}

async function build({ bun, node }: Builders, target: string): Promise<void> {
  mkdirSync(join(target, HELD_BUN), { recursive: true });
  copyFileSync(AGENT_FILE, join(target, 'agent'));
  writeFileSync(join(target, FILTER), filter());
  cpSync(OFFLINE, join(target, 'offline'), { recursive: true });
  for (const [name, text] of Object.entries(FOR_PIP)) writeFileSync(join(target, 'offline', name), text);
  for (const [name, place] of COPIED) cpSync(join(KERNELS, name), join(target, place), { recursive: true });
  copyFileSync(HOLD_FILE, join(target, HELD_BUN, 'hold.node'));
  writeFileSync(join(target, HELD_BUN, 'package.json'), JSON.stringify({ name: LOADED_AT_ONCE }));
  await bundleKernels(bun, KERNELS, target).catch(error => {
    throw error instanceof BundleUnable ? new LibraryUnable(error.message, null) : error;
  });
  if (node) await compileAhead(node, target);
}

/** Of this machine's architecture, which is the agent's. */
function filter(): Uint8Array {
  return assembleFilter(process.arch === 'arm64' ? 'arm64' : 'x64');
}
