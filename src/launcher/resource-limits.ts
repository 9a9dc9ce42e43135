/**
 * Limits of a sandbox's processes that are the same for all and owed to nothing that the server inherited (getrlimit(2));
 * soft and hard alike, named as prlimit(1) and the engine's API name them. The launcher has them itself, and all that it
 * starts has them from it; of a hard limit that is lower already that one stands, but for `core`, which must be as it is here.
 */
export const RESOURCE_LIMITS = {
  /**
   * Bytes that a core file may have: too few for one, and the only value at which the kernel starts no program of the
   * host's for a crash either (fs/coredump.c, "RLIMIT_CORE set to 1").
   */
  core: 1,
  /** No real-time scheduling, and no priority above the usual one. */
  rtprio: 0,
  nice: 0,
  /** Queued signals and timers, each a piece of the kernel's memory. */
  sigpending: 1024,
  /** Bytes in POSIX message queues: ten of the default size, which is what Linux gives by itself. */
  msgqueue: 819_200,
  /** Bytes that can't be swapped out: 16 pages, as keys in memory need. */
  memlock: 65_536,
} as const;
