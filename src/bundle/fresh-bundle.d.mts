export const ROOT: string;
export const DIRECTORY: string;
export const MANIFEST: string;

/** What bundles were made of. */
export interface Manifest {
  readonly root: string;
  /** In DIRECTORY, where the bundles are. */
  readonly directory: string;
  /** Of others, which came before. */
  readonly last: string | null;
  /** Path below the root, and mark, of every file that has a part in one. */
  readonly sources: Readonly<Record<string, string>>;
}

export function freshBundle(entry: string): string | null;
export function markOf(path: string): string;
export function bundleOf(entry: string): string;
