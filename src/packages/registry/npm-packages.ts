import type { InstalledPackage } from '../layer.ts';
import type { Facts } from './facts.ts';
import type { FrozenTree } from './freeze.ts';
import type { Asked } from './protocol.ts';

/** Of a package that was installed, or lies in what brings packages of its own; not what a package has for its tests. */
const MANIFEST = /^(?:node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/)+package\.json$/;

/** What of a tree {@link packagesIn} reads. */
export const isManifest = (path: string) => MANIFEST.test(path);

/** What was installed, by the manifests of the packages, each of which lies in a directory of its own. */
export function packagesIn(tree: FrozenTree, facts: Facts): InstalledPackage[] {
  const bytes = new Map([...tree.texts.keys()].map(path => [directoryOf(path), 0]));
  for (const [path, file] of tree.files) {
    const owner = ownerOf(path, bytes);
    if (owner !== null) bytes.set(owner, bytes.get(owner)! + file.bytes);
  }
  const installed = new Map<string, InstalledPackage>();
  for (const [path, text] of tree.texts) {
    const { name, version } = named(text);
    const known = `${name}@${version}`;
    const { digest } = facts.served.get(known) ?? {};
    const size = bytes.get(directoryOf(path))! + (installed.get(known)?.bytes ?? 0);
    const told = digest ? `${digest.algorithm}:${digest.hex}` : null;
    installed.set(known, { name, version, bytes: size, digest: told });
  }
  return [...installed.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What the installer has had, beside what the tree holds. */
export function askedFor(installed: readonly InstalledPackage[], facts: Facts): Asked {
  const there = new Set(installed.map(({ name, version }) => `${name}@${version}`));
  const unused = [...facts.served.keys()].filter(each => !there.has(each));
  return { pages: [...facts.pages], unused, failed: facts.failure !== null, passing: facts.passing };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The innermost package that a file is of. */
function ownerOf(path: string, packages: ReadonlyMap<string, unknown>): string | null {
  for (let at = directoryOf(path); at.includes('/'); at = directoryOf(at)) if (packages.has(at)) return at;
  return null;
}

/** Empty where a manifest does not say. */
function named(manifest: string): { name: string; version: string } {
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 214) : '');
  try {
    const { name, version } = JSON.parse(manifest);
    return { name: text(name), version: text(version) };
  } catch {
    return { name: '', version: '' };
  }
}
