/** What a file was when it was read. */
type Signature = string;

/**
 * Modules that came from files of the workspace, and which of them are stale: what has changed on disk since it was read, and
 * what imports that. A package's files are taken to stay as they are.
 */
export class Freshness {
  readonly #prefix: string;
  readonly #seen = new Map<string, Signature>();

  /** @param directory absolute, without a slash at its end */
  constructor(directory: string) {
    this.#prefix = `${directory}/`;
  }

  isWatched(path: string): boolean {
    return path.startsWith(this.#prefix);
  }

  /** Notes a module as its file is now; one that is known keeps what was noted. */
  note(path: string): void {
    if (!this.#seen.has(path) && this.isWatched(path)) this.#seen.set(path, signatureOf(path));
  }

  /** Has a module be stale that could not be loaded: what it needs may be there the next time. */
  doubt(path: string): void {
    if (this.isWatched(path)) this.#seen.set(path, 'not loaded');
  }

  /** Those that are noted now. */
  get paths(): readonly string[] {
    return [...this.#seen.keys()];
  }

  /** Forgets the stale modules and returns their paths. */
  stale(importedBy: (path: string) => Iterable<string>): ReadonlySet<string> {
    const stale = new Set<string>();
    for (const [path, signature] of this.#seen) if (signatureOf(path) !== signature) stale.add(path);
    if (stale.size === 0) return stale;
    const importers = new Map<string, string[]>();
    for (const path of this.#seen.keys())
      for (const imported of importedBy(path))
        importers.set(imported, [...(importers.get(imported) ?? []), path]);
    for (const path of stale) for (const importer of importers.get(path) ?? []) stale.add(importer);
    for (const path of stale) this.#seen.delete(path);
    return stale;
  }
}

function signatureOf(path: string): Signature {
  try {
    // Loaded once there is a module to look at: it takes Bun longer than all of the kernel.
    const { statSync } = process.getBuiltinModule('node:fs');
    const { mtimeNs, ctimeNs, size, ino } = statSync(path, { bigint: true });
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
  } catch {
    return 'gone';
  }
}
