import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { LauncherUnable } from './launcher-client.ts';

/**
 * The release of Go for machines without one of their own, and its digests as the checksum database
 * (sum.golang.org) has them: go.dev/ref/mod#checksum-database, "Hash 1".
 */
const RELEASE = {
  version: '1.27.3',
  digests: {
    x64: 'h1:r0ub+FnqzZxoWm/dSUOI9DcIqYWn/mNYGFJcv7PyBzs=',
    arm64: 'h1:VY4gDzfxOrsM17J2qtgZgiAIsWhp7XWK1jMfE3kXV0s=',
  },
} as const;
const MODULE = 'golang.org/toolchain';
const PROXY = 'https://proxy.golang.org';
const FETCH_MS = 300_000;
/** Older ones lack too much of what is taught and written today: loops over numbers and functions, `maps`, `slices`. */
const OLDEST = '1.23';
/** Where a release is put that was fetched, and what was built with one. */
export const FETCHED = fileURLToPath(new URL('../../../.go', import.meta.url));

export interface GoInstallation {
  readonly root: string;
  /** e.g. `1.26.8` */
  readonly version: string;
}

export const NO_GO = new LauncherUnable(`no Go from ${OLDEST} on is installed`, 'npm run go');

/** The newest Go on this machine that is new enough: on the PATH, where it is usually put, or fetched. */
export function findGo(): GoInstallation | null {
  const onPath = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'go'));
  const places = [
    '/usr/local/go/bin/go',
    '/usr/lib/go/bin/go',
    ...globSync(`${FETCHED}/*/bin/go`),
    ...onPath,
  ];
  const found = places.flatMap(path => {
    try {
      const root = dirname(dirname(realpathSync(path)));
      const version = /^go(\d+(?:\.\d+)*)/.exec(readFileSync(join(root, 'VERSION'), 'utf8'))?.[1];
      return version && inOrder(OLDEST, version) <= 0 ? [{ root, version }] : [];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => inOrder(b.version, a.version))[0] ?? null;
}

function inOrder(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

interface ZipEntry {
  readonly name: string;
  readonly data: Buffer;
}

/**
 * Fetches the release from the module proxy that GOPROXY names, checks its digest and unpacks it to where `findGo` looks.
 * @throws {Error} with a sentence
 */
export async function fetchGo(): Promise<GoInstallation> {
  const { version } = RELEASE;
  const root = join(FETCHED, version);
  const name = `v0.0.1-go${version}.linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
  const url = `${proxy()}/${MODULE}/@v/${name}.zip`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
  if (!answer.ok || !answer.body) throw new Error(`${url} answered ${answer.status}`);
  const entries = [...readZip(await buffer(answer.body))];
  const digest = digestOf(entries);
  const right = RELEASE.digests[process.arch === 'arm64' ? 'arm64' : 'x64'];
  if (digest !== right) throw new Error(`${url} has the digest ${digest} and not ${right}`);
  const unfinished = `${root}.${process.pid}`;
  try {
    for (const { name: path, data } of entries) unpack(unfinished, path, data);
    renameSync(unfinished, root);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return { root, version };
}

/** The first proxy of GOPROXY, a list that commas and bars separate. */
function proxy(): string {
  const [first = PROXY] = (process.env.GOPROXY ?? PROXY).split(/[,|]/);
  if (!/^https?:/.test(first)) throw new Error(`GOPROXY=${first} allows no download`);
  return first.replace(/\/$/, '');
}

/** Below the module's own directory; a nested go.mod has an underscore before its name, as module archives can hold none. */
function unpack(directory: string, path: string, data: Buffer): void {
  const inside = path.slice(path.indexOf('/', MODULE.length) + 1).replace(/(^|\/)_go\.mod$/, '$1go.mod');
  const target = join(directory, inside);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, data, { mode: /^(bin|pkg\/tool)\//.test(inside) ? 0o755 : 0o644 });
}

/** Hash 1: of the lines of `sha256sum` over all files, by name. */
function digestOf(entries: readonly ZipEntry[]): string {
  const sorted = [...entries].sort((one, other) => (one.name < other.name ? -1 : 1));
  const all = createHash('sha256');
  for (const { name, data } of sorted)
    all.update(`${createHash('sha256').update(data).digest('hex')}  ${name}\n`);
  return `h1:${all.digest('base64')}`;
}

/** Files of a ZIP archive, as far as module archives use the format (APPNOTE.TXT, 4.3). @throws on any other */
function* readZip(zip: Buffer): Generator<ZipEntry> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('what came is no ZIP archive');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(offset =>
      zip.readUInt16LE(at + offset),
    );
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength!);
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    if (name.split('/').includes('..')) throw new Error(`the archive has the path ${name}`);
    if (!name.endsWith('/'))
      yield { name, data: zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed) };
    at += 46 + nameLength! + extraLength! + commentLength!;
  }
}
