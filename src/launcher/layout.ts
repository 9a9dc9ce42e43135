/** What all sandboxes share, as the launcher sees it once it has entered its own root. */
export const BASE = {
  /** What views are made of (view.ts). */
  layers: '/layers',
  /** The launcher's own view. */
  inside: '/inside',
  /** The host's devices. */
  devices: '/dev',
  /** Where a forked sandbox puts its root together, in a mount namespace of its own. */
  root: '/root',
  /**
   * Where a forked sandbox mounts what it shows a part of. It is left behind with the rest of this root: taking a mount out of sight
   * has the kernel wait for all of its processors.
   */
  between: '/between',
  /** Where a sandbox's disk is mounted while it starts. */
  disks: '/disks',
  filter: '/filter',
  programFilter: '/program-filter',
  /** What the zygote's children do to see what a sandbox sees, and what a template sees (steps.ts). */
  sandboxPlan: '/sandbox.plan',
  templatePlan: '/template.plan',
  /** Only what is read and run by the launcher. */
  agent: '/agent',
} as const;

/** Directories of a sandbox's disk, and where they are mounted. */
export const DISK = { workspace: '/workspace', tmp: '/tmp', home: '/home/sandbox', shm: '/dev/shm' } as const;

/** Inside, what package managers find and say where there is no network. */
export const OFFLINE = '/usr/local/lib/codebeaker/offline';
/** Inside, programs that are called by their name through one of those; see src/toolchains/toolchain.ts. */
export const BEHIND_OFFLINE = '/usr/local/lib/codebeaker/bin';

/**
 * The user, and group, of an ordinary user's launcher in its own user namespace. Not 0: what belongs to a namespace's root, such as
 * settings of its other namespaces and files in /proc of processes that are not dumpable, would be the sandboxes' too, who are the
 * same user to the machine.
 */
export const LAUNCHER_UID = 1;

/** The user inside every sandbox: nobody. */
export const INSIDE_UID = 65534;
