import { BASE } from './layout.ts';
import type { Mask } from './masks.ts';

/**
 * What all sandboxes see and none can write, as plain data that the launcher makes once (layers.ts). Each
 * sandbox has its own overlays over the shared layers, and so its own inodes: watches, locks and leases
 * (inotify(7), flock(2), fcntl(2)) don't reach other sandboxes, while the files' pages are shared. An overlay
 * does not show mounts in its layers, so there is one per tree.
 */
export interface View {
  /** Those inside of another come after it. */
  readonly trees: readonly ShownTree[];
  readonly programs: ShownPrograms;
  /** Device nodes are inodes of its own too; otherwise the host's are mounted. */
  readonly ownDevices: boolean;
  readonly masks: readonly Mask[];
}

export interface ShownTree {
  /** Where it is seen; empty for the root. */
  readonly target: string;
  /** Directories, of which the first that has a name shows it (overlayfs.rst). */
  readonly layers: readonly string[];
  /** Why there is no overlay for it: it has one layer then, which is seen as it is. */
  readonly shared?: string;
}

/** Single files of directories that are seen nowhere as a whole. */
export interface ShownPrograms {
  readonly layers: readonly string[];
  /** Where each is seen, and its name in those directories. */
  readonly files: Readonly<Record<string, string>>;
}

/** Where a sandbox whose view is at `root` has its devices from. */
export function devicesOf(root: string, { ownDevices }: Pick<View, 'ownDevices'>): string {
  return ownDevices ? `${root}/dev` : BASE.devices;
}
