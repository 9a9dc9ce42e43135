/** What all sandboxes share, as the launcher sees it once it has entered its own root. */
export const BASE = {
  /** The root of every sandbox, but for what it has of its own. */
  inside: '/inside',
  devices: '/dev',
  /** The same, read-only and with its devices: a forked sandbox adds what is its own. */
  root: '/root',
  /** Where each sandbox's disk is mounted while it starts. */
  disks: '/disks',
  filter: '/filter',
  /** The zygote's code; nobody's but the launcher's. */
  zygote: '/zygote.js',
  /** An empty file, over what tells about the host. */
  nothing: '/nothing',
} as const;

/** What a sandbox has on its own disk, and where it sees it. */
export const DISK = { workspace: '/workspace', tmp: '/tmp', home: '/home/sandbox', shm: '/dev/shm' } as const;

/** The user inside every sandbox: nobody. */
export const INSIDE_UID = 65534;
