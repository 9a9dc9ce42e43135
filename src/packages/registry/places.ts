import { createHash } from 'node:crypto';
import type { FrozenTree } from './freeze.ts';

/** Of one tree; one with more is put together with no other. */
const MOST_PLACES = 2000;
/** The innermost package that a path is of: one that others are installed in, not what it has of that name itself. */
const PACKAGE = /^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/;

/**
 * What of a tree lies where another may have something else: each package's directory, by the contents of its files, and each link. Two
 * trees in which what lies at the same place is the same are one tree when put together. Undefined for too many.
 */
export function placesIn({ files, links }: FrozenTree): Record<string, string> | undefined {
  const lines = new Map<string, string[]>();
  for (const [path, { sha256, executable }] of files) {
    const [place = ''] = PACKAGE.exec(path) ?? [];
    const known = lines.get(place) ?? [];
    lines.set(place, known);
    known.push(`${path}\0${executable ? 'x' : '-'}\0${sha256}`);
  }
  if (lines.size + links.size > MOST_PLACES) return undefined;
  const contents = [...lines].map(([place, all]) => [place, digestOf(all)] as const);
  return Object.fromEntries([...contents, ...links]);
}

const digestOf = (lines: string[]) =>
  createHash('sha256').update(lines.sort().join('\n')).digest('base64url');
