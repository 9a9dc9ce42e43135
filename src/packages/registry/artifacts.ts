import { createHash, hash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import type { Answer } from './upstream.ts';
import { TooLarge } from './upstream.ts';

/** One artifact, bytes. */
export const MAX_ARTIFACT_BYTES = 1024 * 1024 * 1024;
/** Of kept artifacts that are given from memory, which spares reading and checking them another time. */
const HELD_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** All that one install downloads: the artifacts that it tries, and what it takes of them. */
const MAX_FETCHED_BYTES = 2 * MAX_ARTIFACT_BYTES;

/** The bytes of an artifact are not those that the index names. */
export class WrongDigest extends Error {}

export interface Digest {
  readonly algorithm: 'sha256' | 'sha512' | 'sha1';
  readonly hex: string;
}

/** Artifacts by their digest, in a directory that installs share. What is read is checked again each time: others have written it. */
export class ArtifactCache {
  readonly #directory: string;
  readonly #mostFetched: number;
  #fetched = 0;
  /** In memory now. */
  #held = 0;
  /** In memory until the end. */
  readonly #intact = new Map<string, Buffer>();

  constructor(directory: string, mostFetched = MAX_FETCHED_BYTES) {
    this.#directory = directory;
    this.#mostFetched = mostFetched;
  }

  /** Its size if it is kept; else null. */
  sizeOf(digest: Digest): number | null {
    const path = this.#path(digest);
    try {
      return this.#intact.get(path)?.byteLength ?? statSync(path).size;
    } catch {
      return null;
    }
  }

  /**
   * The bytes of an artifact, checked: the last piece comes only when all of them are those of `digest`. What comes of `fetch` is
   * kept; what will be read `again` is held in memory then, as far as there is room. @throws {WrongDigest | TooLarge | Unreachable}
   */
  async *read(
    digest: Digest,
    fetch: () => Promise<Answer>,
    { again = false } = {},
  ): AsyncGenerator<Uint8Array, void> {
    const path = this.#path(digest);
    const intact = this.#intact.get(path);
    if (intact) return yield* piecesOf(intact);
    const size = this.sizeOf(digest);
    // What another install has spoilt is fetched again.
    if (size !== null && (yield* this.#kept(path, size, digest, again))) return;
    const answer = await fetch();
    const beside = `${path}.${randomBytes(4).toString('hex')}`;
    // Opened now: a stream that opens it later might do so after it was removed.
    const file = createWriteStream('', { fd: openSync(beside, 'wx', 0o644) });
    const failed = new Promise<never>((_, reject) => file.once('error', reject));
    failed.catch(() => {});
    try {
      for await (const piece of checked(answer.body, digest)) {
        this.#count(piece);
        if (!file.write(piece))
          await Promise.race([new Promise<void>(resolve => file.once('drain', () => resolve())), failed]);
        yield piece;
      }
      await Promise.race([new Promise<void>(resolve => file.end(() => resolve())), failed]);
      keep(beside, path);
    } finally {
      answer.cancel();
      file.destroy();
      rmSync(beside, { force: true });
    }
  }

  /** The bytes of one whose digest is not known here: counted as others are, and not kept. @throws {TooLarge | Unreachable} */
  async *pass({ body, cancel }: Answer): AsyncGenerator<Uint8Array, void> {
    let bytes = 0;
    try {
      for await (const piece of body) {
        bytes += piece.byteLength;
        checkSize(bytes);
        this.#count(piece);
        yield piece;
      }
    } finally {
      cancel();
    }
  }

  /** False where it is not what it should be: nothing has been given then. What there is room for is read once, and given from memory. */
  async *#kept(
    path: string,
    size: number,
    digest: Digest,
    again: boolean,
  ): AsyncGenerator<Uint8Array, boolean> {
    const inMemory = this.#held + size <= HELD_BYTES;
    this.#held += inMemory ? size : 0;
    let stays = false;
    try {
      if (!inMemory) return yield* intactFile(path, digest);
      const bytes = intactBytes(path, size, digest);
      if (!bytes) return false;
      touch(path);
      stays = again && !this.#intact.has(path);
      if (stays) this.#intact.set(path, bytes);
      yield* piecesOf(bytes);
      return true;
    } finally {
      this.#held -= inMemory && !stays ? size : 0;
    }
  }

  #count({ byteLength }: Uint8Array): void {
    this.#fetched += byteLength;
    if (this.#fetched > this.#mostFetched)
      throw new TooLarge(`artifacts of more than ${this.#mostFetched} bytes together`);
  }

  #path({ algorithm, hex }: Digest): string {
    return `${this.#directory}/${algorithm}-${hex}`;
  }
}

async function* checked(body: AsyncIterable<Uint8Array>, { algorithm, hex }: Digest) {
  const hash = createHash(algorithm);
  let held: Uint8Array | undefined;
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    checkSize(bytes);
    hash.update(piece);
    if (held) yield held;
    held = piece;
  }
  const found = hash.digest('hex');
  if (found !== hex) throw new WrongDigest(`its ${algorithm} is ${found}, and the index names ${hex}`);
  if (held) yield held;
}

function checkSize(bytes: number): void {
  if (bytes > MAX_ARTIFACT_BYTES) throw new TooLarge(`an artifact of more than ${MAX_ARTIFACT_BYTES} bytes`);
}

/** Null where they are not what they should be: others write the file. */
function intactBytes(path: string, size: number, { algorithm, hex }: Digest): Buffer | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.allocUnsafeSlow(size);
      return readSync(fd, bytes) === size && hash(algorithm, bytes, 'hex') === hex ? bytes : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

function* piecesOf(bytes: Buffer): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** As pieces, once all of them were looked at; false where they are not what they should be. Open from before: another install may remove it. */
async function* intactFile(path: string, digest: Digest): AsyncGenerator<Uint8Array, boolean> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const pieces = () => checked(createReadStream('', { fd, start: 0, autoClose: false }), digest);
    try {
      for await (const _ of pieces());
    } catch {
      return false;
    }
    touch(path);
    yield* pieces();
    return true;
  } finally {
    closeSync(fd);
  }
}

/** The place may be taken by what another user wrote, and what was written may have been removed for want of room: it was given all the same. */
function keep(beside: string, path: string): void {
  try {
    renameSync(beside, path);
  } catch (error) {
    if (!['EPERM', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** It was used: the oldest go first. */
function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Another install's, which wrote it as another user.
  }
}
