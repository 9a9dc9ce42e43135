import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_BYTES = 1024 * 1024;

/** A file of a layer: in the one directory of a directory whose name ends so. */
export interface Description {
  readonly directory: string;
  readonly suffix: string;
  readonly file: string;
}

/** That file; null where it is not one plain file that is no larger than may be. Nothing is followed. */
export async function readDescription(
  layer: string,
  { directory, suffix, file }: Description,
): Promise<Buffer | null> {
  const within = join(layer, directory);
  const isPlain = (await lstat(within)).isDirectory();
  const all = isPlain ? await readdir(within, { withFileTypes: true }) : [];
  const [only, ...others] = all.filter(each => each.isDirectory() && each.name.endsWith(suffix));
  if (!only || others.length > 0) return null;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  await using opened = await open(join(within, only.name, file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const stats = await opened.stat();
  return stats.isFile() && stats.size <= MAX_BYTES ? await opened.readFile() : null;
}
