import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
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
import { AGENT_FILE, agentMissing } from '../agent/artifact.ts';
import { guarded } from '../wire/guarded.ts';
import { findInterpreters } from './interpreters.ts';

/** Compiled beforehand, by the Bun that runs it. */
const FOR_BUN = ['--target', 'bun', '--format', 'cjs', '--bytecode'];

const FOR_NODE = ['--target', 'node'];
const FOR_REQUIRE = [...FOR_NODE, '--format', 'cjs'];

/** Kernels that are bundled into one file each: the entry below src/kernels, where it goes, and on what it runs. */
const BUNDLES = [
  ['javascript/bun.ts', 'javascript/bun.js', FOR_BUN],
  ['prewarm/bun.ts', 'prewarm/bun.js', FOR_BUN],
  ['javascript/v8/main.ts', 'javascript/v8.mjs', FOR_NODE],
  ['javascript/v8/typescript.ts', 'javascript/typescript.mjs', FOR_NODE],
  ['javascript/v8/typescript.ts', 'javascript/typescript.cjs', FOR_REQUIRE],
  ['javascript/v8/before-deno.ts', 'javascript/require.mjs', [...FOR_NODE, '--external', '*/typescript.mjs']],
  ['javascript/v8/before-node.ts', 'javascript/require.cjs', FOR_REQUIRE],
  ['prewarm/node.ts', 'prewarm/node.cjs', FOR_REQUIRE],
  ['javascript/v8/deno-fs.ts', 'javascript/deno-fs.mjs', FOR_NODE],
  ['javascript/v8/deno-fs-promises.ts', 'javascript/deno-fs-promises.mjs', FOR_NODE],
] as const;
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
    const bun = findInterpreters()?.bun;
    if (!bun) throw new LibraryUnable('the npm package bun has no binary', 'npm rebuild bun');
    const hash = hashOf(bun, this.#certificates);
    const directory = join(this.#dataDir, `library-${hash}`);
    if (!existsSync(directory)) {
      this.#removeOld();
      const unfinished = `${directory}.${randomBytes(4).toString('hex')}`;
      try {
        await build(bun, unfinished);
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

/** Hash of all sources of the library. */
function hashOf(bun: string, certificates: string | null): string {
  const hash = createHash('sha256').update(JSON.stringify([BUNDLES, COPIED, certificates]));
  const sources = globSync('**/*.{ts,py,pth}', { cwd: KERNELS }).sort();
  for (const name of sources) hash.update(`\0${name}\0`).update(readFileSync(join(KERNELS, name)));
  for (const path of globSync(`${OFFLINE}/*`).sort())
    hash.update(`\0${basename(path)}\0`).update(readFileSync(path));
  for (const name of PACKAGES) hash.update(readFileSync(fileURLToPath(import.meta.resolve(name))));
  // package.json beside the binary has its version.
  const version = join(dirname(dirname(bun)), 'package.json');
  hash.update('\0').update(existsSync(version) ? readFileSync(version) : basename(bun));
  return hash.update('\0').update(readFileSync(AGENT_FILE)).digest('hex').slice(0, HASH_LENGTH);
}

async function build(bun: string, target: string): Promise<void> {
  mkdirSync(target);
  copyFileSync(AGENT_FILE, join(target, 'agent'));
  cpSync(OFFLINE, join(target, 'offline'), { recursive: true });
  for (const [name, place] of COPIED) cpSync(join(KERNELS, name), join(target, place), { recursive: true });
  await Promise.all(
    BUNDLES.map(([entry, name, options]) =>
      bundle(bun, [...options, join(KERNELS, entry), '--outdir', target, '--entry-naming', name]),
    ),
  );
}

async function bundle(bun: string, args: readonly string[]): Promise<void> {
  const building = spawn(bun, ['build', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  const onData = (chunk: Buffer) => {
    words += chunk;
  };
  building.stderr.on(
    'data',
    guarded(onData, () => building.kill()),
  );
  const [code] = await once(building, 'close');
  if (code !== 0) throw new LibraryUnable(words.trim(), null);
}
