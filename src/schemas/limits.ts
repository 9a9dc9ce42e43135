/** Numbers that clients are promised, each once. What the operator may set is in src/config.ts. Sizes are bytes. */
export const LIMITS = {
  /** One JSON-RPC message or HTTP body. */
  messageBytes: 32 * 1024 * 1024,
  /** Characters of `environment` as JSON; no program could be given much more. */
  environmentLength: 1024 * 1024,
  /** Source of a run or cell, characters. */
  codeLength: 100_000,
  /** Wall seconds of a run or cell where the client names none. */
  timeoutSeconds: 30,
  compileTimeoutSeconds: 30,
  /** Of execute_shell in the foreground. */
  shellTimeoutSeconds: 60,
  memoryMB: 512,
  minMemoryMB: 32,
  /** `cpuShares` of one core. */
  sharesPerCore: 1024,
  idleTimeoutMinutes: 30,
  maxLifetimeMinutes: 120,
  /** Programs and threads of a sandbox at once. */
  processes: 128,
  openFiles: 1024,
  inodes: 65_536,
  /** What one read of a file, and all files that a run gives back, may have. */
  readBytes: 32 * 1024 * 1024,
  /** Watches of a session, and directories of one. */
  watches: 16,
  watchedDirectories: 16_384,
  /** Debuggers of a session, and of all together: each may hold a few messages of up to 4 MiB. */
  debuggers: 4,
  allDebuggers: 64,
  /** From debug.start until its one connection has come, and has said something. */
  debugTicketSeconds: 60,
  /** Columns and rows of a terminal. */
  terminalSide: 1000,
  /** A write that is sent to a sandbox without waiting for what is before it: one frame of the agent's. */
  chainedBytes: 64 * 1024,
  /** Commands of one batch. */
  batchCommands: 1000,
  /** Answers of a batch's commands together, as JSON. */
  batchAnswerBytes: 64 * 1024 * 1024,
  /** Events of runs that have ended, in memory while clients read them again: of all together; a key may have half of it. */
  replaysBytes: 256 * 1024 * 1024,
} as const;
