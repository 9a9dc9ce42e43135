import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerPlace } from '../sandbox.ts';
import type { InstalledPackage, Layer } from './layer.ts';

const NAME_BYTES = 16;
const NAME = /^[0-9a-f]{32}$/;
/** Of the artifacts that are kept beside, in parts of what layers may take. */
const CACHE_PART = 4;
/** Requests that a layer answers without being made again: one that is asked for in ever new words would know ever more. */
const MOST_KEYS = 100;

interface LayerRecord extends Layer {
  /** Requests that it answers, and when each was resolved: milliseconds since 1970. */
  keys: Record<string, number>;
  /** Of the machine's start in which it was written; what was not surely on disk then is not believed after another. */
  boot: string;
  onDisk: boolean;
}

/** Layers that are in use take all that layers may. */
export class StoreFull extends Error {}

/**
 * Layers on disk, for this server and the next one. A layer is written beside (`incoming`), renamed into its place and recorded after
 * that, so that none is ever half there; what a crash leaves is removed at the start. Layers that nothing uses go when all together
 * take more than they may, the one longest unused first.
 */
export class LayerStore {
  /** What sandboxes see at `/packages`: names in it can't be listed by others. */
  readonly layers: string;
  readonly cache: string;
  readonly #incoming: string;
  readonly #records: string;
  /** What all layers together may take. */
  readonly maxBytes: number;
  readonly #boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  readonly #byName = new Map<string, LayerRecord>();
  readonly #users = new Map<string, number>();

  constructor(directory: string, { maxBytes }: { maxBytes: number }) {
    this.layers = join(directory, 'layers');
    this.cache = join(directory, 'cache');
    this.#incoming = join(directory, 'incoming');
    this.#records = join(directory, 'records');
    this.maxBytes = maxBytes;
    rmSync(this.#incoming, { recursive: true, force: true });
    // 0711: who is told a name gets there, and nobody can list them. The cache is written by users of their own.
    for (const [path, mode] of [
      [this.layers, 0o711],
      [this.cache, 0o1777],
      [this.#incoming, 0o700],
      [this.#records, 0o700],
    ] as const) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
    }
    this.#load();
  }

  /** What is on disk. */
  get held(): { layers: number; bytes: number } {
    let bytes = 0;
    for (const record of this.#byName.values()) bytes += record.bytes;
    return { layers: this.#byName.size, bytes };
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

  /** A new directory to write a layer in, as `tree`. Whoever asked removes it by {@link discard}. */
  begin(): string {
    const path = join(this.#incoming, randomBytes(NAME_BYTES).toString('hex'));
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** What was downloaded for it stays, as far as there is room: an install that fails has taken as much as any. */
  async discard(path: string): Promise<void> {
    removeOldest(this.cache, this.maxBytes / CACHE_PART);
    await rm(path, { recursive: true, force: true });
  }

  /**
   * Takes what lies in `incoming` as the answer to requests; one that is there already in another name is that.
   * @throws {StoreFull} the layers in use leave no room for it
   */
  add(
    keys: readonly string[],
    incoming: string,
    what: { id: string; bytes: number; installed: readonly InstalledPackage[] },
  ): Layer {
    let record = [...this.#byName.values()].find(({ id }) => id === what.id);
    if (!record) {
      this.#makeRoom(what.bytes);
      const name = randomBytes(NAME_BYTES).toString('hex');
      renameSync(join(incoming, 'tree'), join(this.layers, name));
      record = { ...what, name, keys: {}, boot: this.#boot, onDisk: false };
      this.#byName.set(name, record);
      this.#flush(record);
    }
    this.answer(keys, record);
    removeOldest(this.cache, this.maxBytes / CACHE_PART);
    return record;
  }

  /** Requests that a layer answers. */
  keysOf({ name }: Layer): string[] {
    return Object.keys(this.#byName.get(name)?.keys ?? {});
  }

  /** Has a layer answer requests from now on, and no other one. */
  answer(keys: readonly string[], { name }: Layer): void {
    const record = this.#byName.get(name);
    if (!record) return;
    for (const key of keys) {
      for (const earlier of this.#byName.values()) delete earlier.keys[key];
      record.keys[key] = Date.now();
    }
    for (const oldest of Object.keys(record.keys).slice(0, -MOST_KEYS)) delete record.keys[oldest];
    this.#write(record);
    this.#removeUnasked();
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
      const sure = record && (record.onDisk || record.boot === this.#boot);
      if (sure && record.name === name && existsSync(join(this.layers, name))) this.#byName.set(name, record);
      else rmSync(join(this.#records, file), { force: true });
    }
    for (const name of readdirSync(this.layers))
      if (!this.#byName.has(name)) rmSync(join(this.layers, name), { recursive: true, force: true });
  }

  /** @throws {StoreFull} */
  #makeRoom(forBytes: number): void {
    const all = [...this.#byName.values()];
    let bytes = all.reduce((sum, record) => sum + record.bytes, forBytes);
    const unused = all.filter(({ name }) => !this.#users.has(name));
    const freeable = unused.reduce((sum, record) => sum + record.bytes, 0);
    if (bytes - freeable > this.maxBytes) throw new StoreFull();
    for (const record of unused.sort((one, other) => this.#usedAt(one) - this.#usedAt(other))) {
      if (bytes <= this.maxBytes) break;
      bytes -= record.bytes;
      this.#remove(record);
    }
  }

  /** Nobody will get what answers no request any more. */
  #removeUnasked(): void {
    for (const record of this.#byName.values())
      if (Object.keys(record.keys).length === 0 && !this.#users.has(record.name)) this.#remove(record);
  }

  /** Without its record it is no layer any more, whatever becomes of its files. */
  #remove({ name }: LayerRecord): void {
    this.#byName.delete(name);
    rmSync(this.#recordOf(name), { force: true });
    const aside = join(this.#incoming, randomBytes(NAME_BYTES).toString('hex'));
    renameSync(join(this.layers, name), aside);
    void rm(aside, { recursive: true, force: true }).catch(() => {});
  }

  /** Has the kernel write what it still holds of a new layer, without anybody waiting for it (sync(1), syncfs(2)). */
  #flush(record: LayerRecord): void {
    execFile('sync', ['--file-system', join(this.layers, record.name)], error => {
      if (error || !this.#byName.has(record.name)) return;
      record.onDisk = true;
      try {
        this.#write(record);
      } catch {
        // Then it is made again after the machine’s next start.
      }
    });
  }

  #write(record: LayerRecord): void {
    const beside = `${this.#recordOf(record.name)}.${randomBytes(4).toString('hex')}`;
    writeFileSync(beside, JSON.stringify(record), { mode: 0o600 });
    const fd = openSync(beside, constants.O_RDONLY);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(beside, this.#recordOf(record.name));
  }

  #touch(name: string): void {
    try {
      utimesSync(this.#recordOf(name), new Date(), new Date());
    } catch {
      // Its age matters to nobody who could be told.
    }
  }

  #usedAt({ name }: LayerRecord): number {
    return statSync(this.#recordOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  #recordOf(name: string): string {
    return join(this.#records, `${name}.json`);
  }
}

function readRecord(path: string): LayerRecord | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LayerRecord;
  } catch {
    return null;
  }
}

/** Whatever others have put there, which is no file of theirs alone: nothing is followed. */
function removeOldest(directory: string, maxBytes: number): void {
  const files = readdirSync(directory).flatMap(name => {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats ? [{ path, bytes: stats.size, at: stats.mtimeMs }] : [];
  });
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files.sort((one, other) => one.at - other.at)) {
    if (bytes <= maxBytes) return;
    rmSync(file.path, { recursive: true, force: true });
    bytes -= file.bytes;
  }
}
