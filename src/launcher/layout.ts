/** What all sandboxes share, as the launcher sees it once it has entered its own root. */
export const BASE = {
  /** The root of every sandbox, but for what it has of its own. */
  inside: '/inside',
  devices: '/dev',
  /** Where each sandbox's disk is mounted while it starts. */
  disks: '/disks',
  filter: '/filter',
} as const;

/** What a sandbox has on its own disk, and where it sees it. */
export const DISK = { workspace: '/workspace', tmp: '/tmp', home: '/home/sandbox', shm: '/dev/shm' } as const;

/** The user inside every sandbox: nobody. */
export const INSIDE_UID = 65534;
