import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pack } from 'tar-fs';
import type { LayerPlace } from '../../sandbox.ts';
import type { Engine } from './engine.ts';
import { type FilledVolume, openVolume, overlayOf } from './filled-volume.ts';

/** Where layers lie in the container that they are brought through. */
const TARGET = '/volume';
/** Directories of the volume: the layers, whose names nobody inside can list, and an empty one. */
const LAYERS = 'layers';
const NOTHING = 'nothing';
const BRING_MS = 120_000;

/**
 * Layers of packages as containers see them: copies in a volume of the engine's, since that may be on another machine. Layers that come
 * later are seen by containers that run. Nothing is removed from a volume: one that has grown too large gives way to a new one, and goes
 * with the last container that uses it.
 */
export class LayersVolume {
  /** Labels of the container that holds it. */
  readonly id: string;
  readonly #engine: Engine;
  readonly #volume: FilledVolume;
  readonly #brought = new Map<string, Promise<void>>();
  /** Of all that was brought. */
  bytes = 0;

  private constructor(id: string, engine: Engine, volume: FilledVolume) {
    this.id = id;
    this.#engine = engine;
    this.#volume = volume;
  }

  /** `labels`: of the volume, and of the container that fills it. @throws {EngineUnable} */
  static async create(
    engine: Engine,
    id: string,
    labels: { volume: Record<string, string>; container: Record<string, string> },
  ): Promise<LayersVolume> {
    const name = `codebeaker-packages-${randomBytes(16).toString('hex')}`;
    const volume = new LayersVolume(id, engine, await openVolume(engine, name, TARGET, labels));
    const empty = mkdtempSync(join(tmpdir(), 'codebeaker-layers-'));
    try {
      for (const directory of [LAYERS, NOTHING]) await mkdir(join(empty, directory));
      await volume.#put(empty, [LAYERS], '', 0o711);
      await volume.#put(empty, [NOTHING], '', 0o755);
      return volume;
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  }

  /** Of the mount that containers see them by. */
  get options() {
    return overlayOf(this.#volume.mountpoint, [LAYERS, NOTHING]);
  }

  /** Resolves once the layer is there, whole. @throws {EngineUnable} */
  bring({ name, directory, bytes }: LayerPlace): Promise<void> {
    const known = this.#brought.get(name);
    if (known) return known;
    this.bytes += bytes;
    const brought = this.#put(dirname(directory), [name], `${LAYERS}/`);
    this.#brought.set(name, brought);
    brought.catch(() => {
      this.bytes -= bytes;
      this.#brought.delete(name);
    });
    return brought;
  }

  /** Lets the volume go, when no container uses it any more. */
  async release(): Promise<void> {
    const { container } = this.#volume;
    await this.#engine.call(docker => docker.getContainer(container).remove({ force: true })).catch(() => {});
  }

  /** Entries of a directory, which become root's, whoever the service is. `mode`: instead of theirs. */
  async #put(directory: string, entries: string[], below: string, mode?: number): Promise<void> {
    const map = (header: { name: string; mode: number }) =>
      Object.assign(header, { name: below + header.name, uid: 0, gid: 0, mode: mode ?? header.mode });
    // What this process keeps to itself, containers read.
    const options = { entries, map, umask: 0 } as object;
    const archive = pack(directory, options);
    await this.#engine.call(
      docker => docker.getContainer(this.#volume.container).putArchive(archive, { path: TARGET }),
      BRING_MS,
    );
  }
}
