import { posix } from 'node:path';
import type { InstalledPackage } from '../layer.ts';
import type { Facts } from './facts.ts';
import { BadTree, type FrozenTree } from './freeze.ts';

const DIST_INFO = /^([^/]+)\.dist-info\/(RECORD|METADATA)$/;

/** What of a tree {@link checkRecords} reads. */
export const isRecord = (root: string) => (path: string) =>
  path.startsWith(`${root}/`) && DIST_INFO.test(path.slice(root.length + 1));

/**
 * Checks every file that a wheel's RECORD (PEP 376, PEP 427) names against what was installed, and tells what that is. Files that
 * no record names came with their wheel, whose own digest was checked. @throws {BadTree} a record lies
 */
export function checkRecords(tree: FrozenTree, root: string, facts: Facts): InstalledPackage[] {
  const installed: InstalledPackage[] = [];
  for (const [path, text] of tree.texts) {
    const [, dist, kind] = DIST_INFO.exec(path.slice(root.length + 1)) ?? [];
    if (dist === undefined || kind !== 'RECORD') continue;
    const bytes = checkRecord(tree, root, dist, text);
    const { name, version } = named(tree.texts.get(`${root}/${dist}.dist-info/METADATA`) ?? '', dist);
    installed.push({ name, version, bytes, digest: artifactOf(facts, name, version) });
  }
  return installed.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The bytes of all files that it names. */
function checkRecord(tree: FrozenTree, root: string, dist: string, text: string): number {
  let sum = 0;
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const [name = '', hash = '', size = ''] = fieldsOf(line);
    const path = posix.join(root, name);
    const lie = (what: string) =>
      new BadTree(`the record of ${dist} ${what} ${JSON.stringify(name.slice(0, 200))}`);
    if (name.startsWith('/') || !path.startsWith(`${root}/`)) throw lie('names a file elsewhere:');
    const file = tree.files.get(path);
    if (hash === '') {
      sum += file?.bytes ?? 0;
      continue;
    }
    if (!file) throw lie('names a file that is not there:');
    const [algorithm, value] = hash.split('=', 2);
    const expected = Buffer.from(value ?? '', 'base64url').toString('hex');
    // Others may not be asked of it (PEP 427), and are not ours to compute twice.
    if (algorithm === 'sha256' && expected !== file.sha256) throw lie('names another digest for');
    if (size !== '' && Number(size) !== file.bytes) throw lie('names another size for');
    sum += file.bytes;
  }
  return sum;
}

/** A line of CSV as Python's csv module writes it. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

/** By its metadata, or else by the name of its directory. */
export function named(metadata: string, dist: string): { name: string; version: string } {
  const [, name] = /^Name: *(\S+)\s*$/im.exec(metadata) ?? [];
  const [, version] = /^Version: *(\S+)\s*$/im.exec(metadata) ?? [];
  const [ofName = dist, ofVersion = ''] = dist.split('-');
  return { name: (name ?? ofName).slice(0, 200), version: (version ?? ofVersion).slice(0, 200) };
}

function artifactOf(facts: Facts, name: string, version: string): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_.]+/g, '_');
  for (const [file, { digest }] of facts.served) {
    // In a source archive's name the project's may have dashes, as PEP 625 came late.
    const source = /^(.+)\.(?:tar\.gz|zip)$/.exec(file)?.[1];
    const [ofName = '', ofVersion = ''] = file.split('-');
    const isOf = source
      ? plain(source) === plain(`${name}-${version}`)
      : plain(ofName) === plain(name) && ofVersion === version;
    if (isOf) return `${digest.algorithm}:${digest.hex}`;
  }
  return null;
}
