import { createHash } from 'node:crypto';
import type { InstalledPackage } from '../layer.ts';
import type { Facts } from './facts.ts';
import { BadTree, type FrozenTree } from './freeze.ts';
import { unescaped } from './go-paths.ts';

/** Where modules lie in a tree: unpacked, and beside that what is known of them. */
const MODULES = 'go/mod/';
const SUMS = 'go/mod/cache/download/';
const SUM = /^go\/mod\/cache\/download\/([^@]+)\/@v\/([^/]+)\.ziphash$/;
const FILE = /^(?!cache\/)([^@]+)@([^/]+)\/(.+)$/;

/** What of a tree {@link modulesIn} reads. */
export const isSum = (path: string) => path.startsWith(SUMS) && SUM.test(path);

/**
 * What was installed: the modules that lie in a tree, whose files must have the sum that go has checked when it unpacked them
 * (go.dev/ref/mod#checksum-database, "Hash 1"). @throws {BadTree} they have another
 */
export function modulesIn(tree: FrozenTree, _facts: Facts): InstalledPackage[] {
  const modules = new Map<
    string,
    { name: string; version: string; bytes: number; lines: [string, string][] }
  >();
  for (const [path, { sha256, bytes }] of tree.files) {
    if (!path.startsWith(MODULES)) continue;
    const [, escaped, escapedVersion = '', file] = FILE.exec(path.slice(MODULES.length)) ?? [];
    if (escaped === undefined) continue;
    const [name, version] = [unescaped(escaped), unescaped(escapedVersion)];
    const key = `${escaped}/@v/${escapedVersion}`;
    const module = modules.get(key) ?? { name, version, bytes: 0, lines: [] };
    module.bytes += bytes;
    module.lines.push([`${name}@${version}/${file}`, sha256]);
    modules.set(key, module);
  }
  const installed = [...modules].map(([key, { name, version, bytes, lines }]) => {
    const digest = tree.texts.get(`${SUMS}${key}.ziphash`)?.trim();
    if (digest === undefined || digest !== sumOf(lines))
      throw new BadTree(`the files of ${name}@${version} have not the sum that go knows of it`);
    return { name, version, bytes, digest };
  });
  return installed.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function sumOf(lines: [string, string][]): string {
  const hash = createHash('sha256');
  const byName = lines.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  for (const [name, sha256] of byName) hash.update(`${sha256}  ${name}\n`);
  return `h1:${hash.digest('base64')}`;
}
