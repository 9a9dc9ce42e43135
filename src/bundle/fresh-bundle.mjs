import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Not TypeScript: Node would load its compiler for it, before there is a cache of what that has made.

/** Of the clone; absolute, because bundles have the places of their sources in them. */
export const ROOT = join(import.meta.dirname, '../..');
/** Beside the code, where whoever may write could change that as well. */
export const DIRECTORY = join(ROOT, 'node_modules/.cache/codebeaker-bundles');
export const MANIFEST = join(DIRECTORY, 'manifest.json');

/** URL of the bundle of a module below the root; null if there is none, or a source of its is no longer what it was made of. */
export function freshBundle(entry) {
  try {
    const { root, directory, sources } = JSON.parse(readFileSync(MANIFEST, 'utf8'));
    if (root !== ROOT) return null;
    for (const path in sources) if (markOf(path) !== sources[path]) return null;
    const bundle = join(DIRECTORY, directory, bundleOf(entry));
    statSync(bundle);
    return pathToFileURL(bundle).href;
  } catch {
    return null;
  }
}

/** Tells whether a file has changed: to read them all would take as long as to load them. Copies may keep whole seconds only. */
export function markOf(path) {
  const { size, mtimeMs } = statSync(`${ROOT}/${path}`);
  return `${size} ${Math.floor(mtimeMs / 1000)}`;
}

/** Path of a module's bundle in its directory. */
export function bundleOf(entry) {
  return entry.replace(/\.ts$/, '.mjs');
}
