import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Puts a file in the place of whatever has that name, whole or not at all; a link of that name is replaced, and not followed.
 * @param mode permissions, of which the umask leaves some
 */
export async function replaceFile(
  path: string,
  data: AsyncIterable<Uint8Array>,
  mode: number,
): Promise<void> {
  // Short: the name itself may be as long as one can be.
  const partial = join(dirname(path), `.${basename(path).slice(0, 40)}.${randomBytes(6).toString('hex')}`);
  const file = await open(partial, 'wx', mode);
  const remove = () => rmSync(partial, { force: true });
  // This process may be told to end meanwhile.
  process.once('exit', remove);
  try {
    try {
      for await (const piece of data) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    remove();
    throw error;
  } finally {
    process.off('exit', remove);
  }
}
