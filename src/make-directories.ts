import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory, and those above it that are missing, of which each is asked for once: Node.js's own way goes round for ever where a file system
 * has the directory above and says of what is to be made in it that there is none, as /proc does. @throws {NodeJS.ErrnoException}
 */
export function makeDirectories(path: string, mode?: number): void {
  if (isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isDirectory(path)) throw error;
  }
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
