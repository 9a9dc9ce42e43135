import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { constants, Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Of what is kept: sums of the bundle and of what follows. */
const HEADER_BYTES = 8;

/**
 * Runs the server's bundle, a function of what it takes for `import.meta`, and resolves when that does. What V8 has compiled by then is kept
 * in `directory` for the next start: Node keeps what of a module is compiled before it runs, which is a small part of a start.
 */
export async function runBundle(url, { directory, resolve }) {
  const bytes = readFileSync(new URL(url));
  const kept = join(directory, `server-${cachedDataVersionTag()}`);
  const mark = crc32(bytes);
  const cachedData = keptFor(mark, kept);
  const script = new Script(bytes.latin1Slice(), {
    filename: url,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  await script.runInThisContext()({ url, dirname: dirname(fileURLToPath(url)), resolve });
  if (!cachedData || script.cachedDataRejected) keep(script, mark, kept);
}

function keptFor(mark, path) {
  try {
    const bytes = readFileSync(path);
    const data = bytes.subarray(HEADER_BYTES);
    return bytes.readUInt32LE(0) === mark && bytes.readUInt32LE(4) === crc32(data) ? data : null;
  } catch {
    return null;
  }
}

/** A user who can't write there starts without it, and does not have it made. */
function keep(script, mark, path) {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, '', { mode: 0o600 });
    const data = script.createCachedData();
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(mark, 0);
    header.writeUInt32LE(crc32(data), 4);
    writeFileSync(unfinished, Buffer.concat([header, data]));
    renameSync(unfinished, path);
  } catch {
    // Such as half of it, where no room is left for more.
    try {
      rmSync(unfinished, { force: true });
    } catch {}
  }
}
