import type { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import { Created, type Engine } from './engine.ts';
import { follow } from './progress.ts';

/** An empty image, for containers through which volumes are filled: they are never started. */
const EMPTY_IMAGE = 'codebeaker-empty';
/** Other characters are refused: the path becomes part of mount options. */
const Volume = Type.Object({ Mountpoint: Type.String({ pattern: '^/[\\w./+-]+$' }) });

/** A volume with a container through which the engine's archive API reaches it, wherever the engine is. */
export interface FilledVolume {
  /** Its directory on the engine's machine. */
  readonly mountpoint: string;
  /** Of the container, where the volume lies at `target`. */
  readonly container: string;
}

/** Makes both; the volume may be there. Who made them removes them. @throws {EngineUnable} */
export async function openVolume(
  engine: Engine,
  name: string,
  target: string,
  labels: { volume: Record<string, string>; container?: Record<string, string> },
): Promise<FilledVolume> {
  await ensureEmptyImage(engine);
  await engine.call(docker => docker.createVolume({ Name: name, Labels: labels.volume }));
  const { Mountpoint }: Static<typeof Volume> = await engine.ask(Volume, docker =>
    docker.getVolume(name).inspect(),
  );
  const { id } = await engine.ask(Created, docker =>
    docker.createContainer({
      Image: EMPTY_IMAGE,
      Cmd: ['never started'],
      NetworkDisabled: true,
      ...(labels.container && { Labels: labels.container }),
      HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: target }], NetworkMode: 'none' },
    }),
  );
  return { mountpoint: Mountpoint, container: id };
}

/**
 * Options of a volume that shows directories of another, from the uppermost on, with a superblock of its own: containers that shared
 * one could watch each other open programs (inotify(7)). An overlay without an upper directory is read-only and needs two lower ones
 * (kernel documentation, filesystems/overlayfs).
 */
export function overlayOf(mountpoint: string, directories: readonly string[]) {
  const lower = `lowerdir=${directories.map(name => `${mountpoint}/${name}`).join(':')}`;
  return { type: 'overlay', device: 'overlay', o: `ro,nosuid,nodev,${lower}` };
}

/** Imports an empty tar archive: two blocks of zeros. */
async function ensureEmptyImage(engine: Engine): Promise<void> {
  if (await engine.has(docker => docker.getImage(EMPTY_IMAGE).inspect())) return;
  await engine.call(async docker => {
    const answer = await docker.importImage(Buffer.alloc(1024) as never, {
      repo: EMPTY_IMAGE,
      tag: 'latest',
    });
    await follow(answer as Readable);
  });
}
