import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { pack } from 'tar-fs';
import { KERNELS } from '../../toolchains/toolchain.ts';
import { NO_IMAGES } from '../kernel-bundles.ts';
import type { LibraryFiles } from '../library.ts';
import type { Engine } from './engine.ts';
import { openVolume, overlayOf } from './filled-volume.ts';

/** Mount point in containers. */
export const LIBRARY = KERNELS;
/** File written last, which marks the volume as complete. */
const COMPLETE = 'complete';
const FILL_MS = 120_000;
/** Label of the volume and of containers that mount it. */
export const LIBRARY_LABEL = 'codebeaker.library';
const OLD_MS = 7 * 24 * 3600 * 1000;
export const Volumes = Type.Object({
  Volumes: Type.Union([
    Type.Null(),
    Type.Array(Type.Object({ Name: Type.String(), CreatedAt: Type.Optional(Type.String()) })),
  ]),
});

/** The engine's error for a container whose library volume was removed. */
export const LOST = /failed to mount local volume|codebeaker\/agent/;

/** Directories of the volume: the files that containers see, and an empty one. */
const CONTENT = 'library';
const NOTHING = 'nothing';

export interface Library {
  /** Name of the volume. */
  readonly name: string;
  /** Its directory on the engine's machine. */
  readonly mountpoint: string;
}

/** Of the mount that containers see it by. */
export function libraryMount({ mountpoint }: Library) {
  return overlayOf(mountpoint, [CONTENT, NOTHING]);
}

/**
 * Creates the volume with the agent and the kernels, which every container mounts through an overlay. Images
 * therefore need nothing of ours, not even a C library, and the engine may be on another machine. The name is
 * a hash of the content; the first server fills it, through the archive API.
 * @throws {EngineUnable}
 */
export async function libraryVolume(engine: Engine, files: LibraryFiles): Promise<Library> {
  const directory = mkdtempSync(join(tmpdir(), 'codebeaker-library-'));
  try {
    await mkdir(join(directory, NOTHING));
    const filter = (path: string) => !NO_IMAGES.test(relative(files.directory, path));
    await cp(files.directory, join(directory, CONTENT), { recursive: true, filter });
    const name = `codebeaker-library-${files.hash}`;
    const mountpoint = await fill(engine, name, directory);
    await removeOld(engine, name);
    return { name, mountpoint };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Removes volumes of older versions that no container uses. */
async function removeOld(engine: Engine, current: string): Promise<void> {
  const found = await engine.ask(Volumes, docker =>
    docker.listVolumes({ filters: { label: [LIBRARY_LABEL] } }),
  );
  for (const { Name, CreatedAt } of found.Volumes ?? []) {
    const age = Date.now() - Date.parse(CreatedAt ?? '');
    if (Name === current || !(age > OLD_MS)) continue;
    const label = [`${LIBRARY_LABEL}=${Name}`];
    const users = await engine.ask(Type.Array(Type.Unknown()), docker =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    if (users.length > 0) continue;
    await engine.call(docker => docker.getVolume(Name).remove()).catch(() => {});
  }
}

/** Resolves to its directory on the engine's machine. */
async function fill(engine: Engine, name: string, directory: string): Promise<string> {
  const labels = { volume: { [LIBRARY_LABEL]: name } };
  const { container: id, mountpoint } = await openVolume(engine, name, LIBRARY, labels);
  try {
    const isWhole = await engine.has(async docker => {
      const answer = await docker.getContainer(id).infoArchive({ path: `${LIBRARY}/${COMPLETE}` });
      (answer as Readable).resume();
    });
    if (isWhole) return mountpoint;
    const options = { path: LIBRARY };
    const reached = (header: { mode?: number }) =>
      Object.assign(header, { uid: 0, gid: 0, mode: forAll(header) });
    await engine.call(
      docker => docker.getContainer(id).putArchive(pack(directory, { map: reached as never }), options),
      FILL_MS,
    );
    const mark = pack(directory, { entries: [], map: reached as never, finalize: false });
    mark.entry({ name: COMPLETE }, '');
    mark.finalize();
    await engine.call(docker => docker.getContainer(id).putArchive(mark, options));
    return mountpoint;
  } finally {
    await engine.call(docker => docker.getContainer(id).remove({ force: true })).catch(() => {});
  }
}

/** What its owner may read or run, everybody may: this process makes its files for itself alone. */
function forAll({ mode = 0 }: { mode?: number }): number {
  return mode | ((mode & 0o500) >> 3) | ((mode & 0o500) >> 6);
}
