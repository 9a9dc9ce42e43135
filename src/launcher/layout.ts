/** What all sandboxes share, as the launcher sees it once it has entered its own root. */
export const BASE = {
  /** What views are made of (view.ts). */
  layers: '/layers',
  /** The view of every sandbox, as JSON. */
  view: '/view.json',
  /** The launcher's own view. */
  inside: '/inside',
  /** The host's devices. */
  devices: '/dev',
  /** Where a forked sandbox puts its root together, in a mount namespace of its own. */
  root: '/root',
  /** Where each sandbox's disk is mounted while it starts. */
  disks: '/disks',
  filter: '/filter',
  /** The zygote's code; nobody's but the launcher's. */
  zygote: '/zygote.js',
} as const;

/** What a sandbox has on its own disk, and where it sees it. */
export const DISK = { workspace: '/workspace', tmp: '/tmp', home: '/home/sandbox', shm: '/dev/shm' } as const;

/** The user inside every sandbox: nobody. */
export const INSIDE_UID = 65534;
