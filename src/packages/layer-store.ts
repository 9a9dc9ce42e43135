import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { lstat, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { LayerPlace } from '../sandbox.ts';
import { joinTrees, overheadOf, Unjoinable } from './joined-tree.ts';
import { LAYER_BOUNDS, type Layer } from './layer.ts';
import { type Description, readDescription } from './layer-description.ts';
import { type LayerRecord, readRecord, WAY_OF_MAKING } from './layer-record.ts';
import { goingFor, takenBy } from './layer-room.ts';
import { describedAs } from './registry/protocol.ts';

const NAME_BYTES = 16;
const NAME = /^[0-9a-f]{32}$/;
/** Of the artifacts that are kept beside, in parts of what layers may take. */
const CACHE_PART = 4;
/** Requests that a layer answers without being made again: one that is asked for in ever new words would know ever more. */
const MOST_KEYS = 100;
/** Of what layers may take, in parts: all that was built for one owner. */
const BUILT_PART = 2;
/** From when a layer is there until it is written to the disk for sure, milliseconds. */
const FLUSH_MS = 500;
const DIGEST = /^sha256-[0-9a-f]{64}$/;
const PIN = /^[\w.-]{1,100}==[\w.+!-]{1,50}$/;
const run = promisify(execFile);

/**
 * Layers on disk, for this server and the next one. A layer is written beside (`incoming`), renamed into its place and recorded after
 * that, so that none is ever half there; what a crash leaves is removed at the start. Layers that nothing uses go when all together
 * take more than they may, the one longest unused first.
 */
export class LayerStore {
  /** What sandboxes see at `/packages`: names in it can't be listed by others. */
  readonly layers: string;
  readonly cache: string;
  /** Of what keeps pages of registries, which owns it. */
  readonly pages: string;
  /** What layers know of artifacts that others are about, by {@link describedAs}: nobody but this server writes it. */
  readonly described: string;
  readonly #incoming: string;
  readonly #waiting: string;
  readonly #records: string;
  /** What all layers together may take. */
  readonly maxBytes: number;
  readonly #boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  readonly #byName = new Map<string, LayerRecord>();
  readonly #users = new Map<string, number>();
  /** When each was used last by this server, milliseconds since 1970. */
  readonly #usedLast = new Map<string, number>();
  #written: Promise<void> = Promise.resolve();
  /** What may not be on disk yet, for whose sake the timer runs. */
  readonly #unflushed = new Set<LayerRecord>();
  #flushing: NodeJS.Timeout | undefined;

  constructor(directory: string, { maxBytes }: { maxBytes: number }) {
    this.layers = join(directory, 'layers');
    this.cache = join(directory, 'cache');
    this.pages = join(directory, 'pages');
    this.described = join(directory, 'described');
    this.#incoming = join(directory, 'incoming');
    this.#waiting = join(directory, 'waiting');
    this.#records = join(directory, 'records');
    this.maxBytes = maxBytes;
    for (const path of [this.#incoming, this.#waiting]) rmSync(path, { recursive: true, force: true });
    rmSync(this.described, { recursive: true, force: true });
    // 0711: who is told a name gets there, and nobody can list them. The cache is written by users of their own.
    for (const [path, mode] of [
      [this.layers, 0o711],
      [this.cache, 0o1777],
      [this.pages, 0o711],
      [this.described, 0o755],
      [this.#incoming, 0o700],
      [this.#waiting, 0o700],
      [this.#records, 0o700],
    ] as const) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
    }
    this.#load();
  }

  /** What is on disk. */
  get held(): { layers: number; bytes: number } {
    return { layers: this.#byName.size, bytes: takenBy([...this.#byName.values()]) };
  }

  /** Where a layer lies. */
  placeOf({ name, bytes }: Layer): LayerPlace {
    return { name, bytes, directory: join(this.layers, name) };
  }

  /** The layer of a request that was resolved after `since`, milliseconds since 1970. */
  find(key: string, since: number): Layer | undefined {
    for (const record of this.#byName.values())
      if ((record.keys[key] ?? Number.NEGATIVE_INFINITY) >= since) return record;
    return undefined;
  }

  /** When what a layer answers a request by was resolved. */
  resolvedAt(key: string, { name }: Layer): number {
    return this.#byName.get(name)?.keys[key] ?? Number.NEGATIVE_INFINITY;
  }

  /** A new directory for who may write a layer one day, see {@link begin}. */
  prepare(): string {
    return made(this.#waiting);
  }

  /** A new directory to write a layer in, as `tree`; or one that was prepared. Whoever asked removes it by {@link discard}. */
  begin(prepared?: string): string {
    if (prepared === undefined) return made(this.#incoming);
    const path = join(this.#incoming, basename(prepared));
    renameSync(prepared, path);
    return path;
  }

  /** What was downloaded for it stays, as far as there is room: an install that fails has taken as much as any. */
  async discard(path: string): Promise<void> {
    // Whoever writes there may keep it from being tidied, and is the only one that it matters to.
    await removeOldest(this.cache, this.maxBytes / CACHE_PART).catch(() => {});
    await this.remove(path);
  }

  /** As {@link discard}, where nothing was downloaded. */
  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  /**
   * A new directory, as {@link begin} makes one, with all that layers hold and what lies in another, if that is given (joined-tree.ts), and what it takes
   * beside their bytes. Who has written that must have ended, since nothing looks for what it might change. @throws {Unjoinable}
   */
  async joined(
    parts: readonly Layer[],
    incoming: { directory: string; bytes: number } | null,
  ): Promise<{ directory: string; overhead: number }> {
    const directory = this.begin();
    const sources = parts.map(({ name }) => join(this.layers, name));
    const from = incoming && { tree: join(incoming.directory, 'tree'), bytes: incoming.bytes };
    try {
      return { directory, overhead: await joinTrees(join(directory, 'tree'), sources, from) };
    } catch (error) {
      await this.remove(directory);
      throw error;
    }
  }

  /**
   * Takes what lies in `incoming` as the answer to requests; one that is there already in another name is that.
   * `parts`: of which it was joined, each of which is used meanwhile, and `overhead`, as {@link joined} tells it; `builder`: whose build
   * it is, which goes for others of the same before it pushes out what all share. @throws {StoreFull} the layers in use leave no room for it @throws {Unjoinable} it is more than one may be
   */
  async add(
    keys: readonly string[],
    incoming: string,
    what: Omit<Layer, 'name'> & {
      parts?: readonly string[];
      overhead?: number;
      builder?: string | undefined;
    },
    resolvedAt = Date.now(),
  ): Promise<Layer> {
    if (what.parts && what.bytes > LAYER_BOUNDS.bytes) throw new Unjoinable(`they have ${what.bytes} bytes`);
    const tree = join(incoming, 'tree');
    const known = () => [...this.#byName.values()].find(({ id }) => id === what.id);
    const overhead = known() ? 0 : (what.overhead ?? (await overheadOf(tree, what.bytes)));
    let record = known();
    if (!record) {
      const name = randomBytes(NAME_BYTES).toString('hex');
      record = { ...what, name, overhead, keys: {}, boot: this.#boot, onDisk: false, way: WAY_OF_MAKING };
      this.#makeRoom(record);
      renameSync(tree, join(this.layers, name));
      this.#byName.set(name, record);
      this.#flushLater(record);
    }
    using _kept = this.use(record);
    await this.answer(keys, record, resolvedAt);
    return record;
  }

  /**
   * Has a file of a layer be known by the one artifact that the layer was made of, which is `pin`: whoever made it may have any digest of it,
   * and says nothing of what others are made of by that. Nobody writes the layer any more.
   */
  async describe({ name, installed }: Layer, pin: string, about: Description): Promise<void> {
    const record = this.#byName.get(name);
    const [only, ...others] = installed;
    const digest = only?.digest?.replace(':', '-') ?? '';
    // It is told by a process that reads what strangers write.
    if (!record || record.builder !== undefined || others.length > 0) return;
    if (!DIGEST.test(digest) || !PIN.test(pin)) return;
    record.tellsOf = { artifact: describedAs(digest, pin), about };
    await this.#describe(record);
    await this.#write(record);
  }

  /** By a copy that is this server's own: what a layer holds belongs to the user that a process was, and another will be. */
  async #describe({ name, tellsOf }: LayerRecord): Promise<void> {
    if (!tellsOf) return;
    const { artifact, about } = tellsOf;
    const text = await readDescription(join(this.layers, name), about);
    if (!text) return;
    const beside = join(this.#incoming, randomBytes(NAME_BYTES).toString('hex'));
    await writeFile(beside, text);
    chmodSync(beside, 0o644);
    if (this.#byName.has(name)) renameSync(beside, join(this.described, artifact));
    else await rm(beside);
  }

  /** Requests that a layer answers. */
  keysOf({ name }: Layer): string[] {
    return Object.keys(this.#byName.get(name)?.keys ?? {});
  }

  /** Has a layer answer requests from now on, and no other one. */
  async answer(keys: readonly string[], { name }: Layer, resolvedAt = Date.now()): Promise<void> {
    const record = this.#byName.get(name);
    if (!record) return;
    const changed = new Set([record]);
    for (const key of keys) {
      for (const earlier of this.#byName.values())
        if (key in earlier.keys) {
          delete earlier.keys[key];
          changed.add(earlier);
        }
      record.keys[key] = resolvedAt;
    }
    for (const oldest of Object.keys(record.keys).slice(0, -MOST_KEYS)) delete record.keys[oldest];
    this.#removeUnasked();
    // What can't be recorded, such as on a full disk, is this server's all the same, and made again by the next one.
    await Promise.all([...changed].map(each => this.#write(each).catch(() => {})));
  }

  /** Keeps a layer as long as `open` is, from now on: what is to be ended before it is handed on may take a while to end. */
  keep<L extends Layer>(layer: L, open: { use(kept: Disposable): unknown }): L {
    open.use(this.use(layer));
    return layer;
  }

  /** Keeps a layer while it is used. */
  use({ name }: Layer): Disposable {
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    this.#touch(name);
    let used = true;
    return {
      [Symbol.dispose]: () => {
        if (!used) return;
        used = false;
        const left = (this.#users.get(name) ?? 1) - 1;
        if (left > 0) this.#users.set(name, left);
        else this.#users.delete(name);
        if (left <= 0) this.#removeUnasked();
      },
    };
  }

  #load(): void {
    for (const file of readdirSync(this.#records)) {
      const name = file.replace(/\.json$/, '');
      const record = NAME.test(name) ? readRecord(join(this.#records, file)) : null;
      const sure = record?.way === WAY_OF_MAKING && (record.onDisk || record.boot === this.#boot);
      if (sure && record.name === name && existsSync(join(this.layers, name))) this.#byName.set(name, record);
      else rmSync(join(this.#records, file), { force: true });
    }
    for (const record of this.#byName.values()) if (!record.onDisk) this.#flushLater(record);
    // What is not known in time is found out anew by whoever wants to know it.
    for (const record of this.#byName.values()) this.#describe(record).catch(() => {});
    for (const name of readdirSync(this.layers))
      if (!this.#byName.has(name)) rmSync(join(this.layers, name), { recursive: true, force: true });
  }

  /** @throws {StoreFull} */
  #makeRoom(more: LayerRecord): void {
    const { builder } = more;
    const isUsed = ({ name }: LayerRecord) => this.#users.has(name);
    const usedAt = (record: LayerRecord) => this.#usedAt(record);
    const makeRoom = (among: readonly LayerRecord[], maxBytes: number) => {
      for (const record of goingFor(more, { among, maxBytes, isUsed, usedAt })) this.#remove(record);
    };
    const all = () => [...this.#byName.values()];
    // A stranger's code makes as much as it likes, of which no two are the same.
    if (builder !== undefined)
      makeRoom(
        all().filter(record => record.builder === builder),
        this.maxBytes / BUILT_PART,
      );
    makeRoom(all(), this.maxBytes);
  }

  /** Nobody will get what answers no request any more. */
  #removeUnasked(): void {
    for (const record of this.#byName.values())
      if (Object.keys(record.keys).length === 0 && !this.#users.has(record.name)) this.#remove(record);
  }

  /** It is no layer any more, whatever becomes of its files: who has used it is told nothing of a disk that lets none go. */
  #remove({ name, tellsOf }: LayerRecord): void {
    this.#byName.delete(name);
    this.#usedLast.delete(name);
    const aside = join(this.#incoming, randomBytes(NAME_BYTES).toString('hex'));
    try {
      if (tellsOf) rmSync(join(this.described, tellsOf.artifact), { force: true });
      rmSync(this.#recordOf(name), { force: true });
      renameSync(join(this.layers, name), aside);
    } catch {
      return;
    }
    void rm(aside, { recursive: true, force: true }).catch(() => {});
  }

  /**
   * Has the kernel write what it still holds of new layers, of all that were added in a moment, without anybody waiting for it (sync(1),
   * syncfs(2)): who asked for one has begun to use it then.
   */
  #flushLater(record: LayerRecord): void {
    this.#unflushed.add(record);
    this.#flushing ??= setTimeout(() => {
      const records = [...this.#unflushed.values()];
      this.#unflushed.clear();
      this.#flushing = undefined;
      // Otherwise they are made again after the machine’s next start.
      this.#flush(records).catch(() => {});
    }, FLUSH_MS).unref();
  }

  async #flush(records: readonly LayerRecord[]): Promise<void> {
    await run('sync', ['--file-system', this.layers]);
    for (const record of records) {
      record.onDisk = true;
      // One that can't be written is made again after the machine’s next start, and others are not.
      await this.#write(record).catch(() => {});
    }
  }

  /** Records what is known of a layer then, one record after the other: of two of one layer, the later is the one that stays. */
  #write(record: LayerRecord): Promise<void> {
    const path = this.#recordOf(record.name);
    const written = this.#written.then(async () => {
      if (!this.#byName.has(record.name)) return;
      const beside = `${path}.${randomBytes(4).toString('hex')}`;
      try {
        await writeFile(beside, JSON.stringify(record), { mode: 0o600, flush: record.onDisk });
        if (this.#byName.has(record.name)) renameSync(beside, path);
      } finally {
        await rm(beside, { force: true });
      }
      this.#mark(record.name);
    });
    this.#written = written.catch(() => {});
    return written;
  }

  #touch(name: string): void {
    this.#usedLast.set(name, Date.now());
    this.#mark(name);
  }

  /** For the next server: a record is as old as the last use of its layer. */
  #mark(name: string): void {
    const used = new Date(this.#usedLast.get(name) ?? Date.now());
    try {
      utimesSync(this.#recordOf(name), used, used);
    } catch {
      // Its age matters to nobody who could be told.
    }
  }

  #usedAt({ name }: LayerRecord): number {
    return (
      this.#usedLast.get(name) ?? statSync(this.#recordOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0
    );
  }

  #recordOf(name: string): string {
    return join(this.#records, `${name}.json`);
  }
}

function made(parent: string): string {
  const path = join(parent, randomBytes(NAME_BYTES).toString('hex'));
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** Whatever others have put there, which is no file of theirs alone: nothing is followed. */
async function removeOldest(directory: string, maxBytes: number): Promise<void> {
  const files: { path: string; bytes: number; at: number }[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const stats = await lstat(path).catch(() => null);
    if (stats) files.push({ path, bytes: stats.size, at: stats.mtimeMs });
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files.sort((one, other) => one.at - other.at)) {
    if (bytes <= maxBytes) return;
    await rm(file.path, { recursive: true, force: true });
    bytes -= file.bytes;
  }
}
