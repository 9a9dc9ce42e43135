import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
      await volume.#put(empty, '.', name => (name === LAYERS ? 0o711 : 0o755));
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
    const brought = this.#put(directory, `${LAYERS}/${name}`);
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

  /** Everything becomes root's, whoever the service is; modes are those of the files, or what `modeOf` says of a name. */
  async #put(directory: string, place: string, modeOf?: (name: string) => number): Promise<void> {
    const map = (header: { name: string; mode?: number }) => {
      const mode = modeOf?.(header.name) ?? header.mode ?? 0o755;
      const name = header.name === '.' ? place : `${place}/${header.name}`;
      return Object.assign(header, { name, uid: 0, gid: 0, mode });
    };
    const archive = pack(directory, { map: map as never });
    await this.#engine.call(
      docker => docker.getContainer(this.#volume.container).putArchive(archive, { path: TARGET }),
      BRING_MS,
    );
  }
}
