const MB = 1024 * 1024;

/** Numbers that clients are promised, each once. What the operator may set is in src/config.ts. Sizes are bytes. */
export const LIMITS = {
  /** One JSON-RPC message or HTTP body. */
  messageBytes: 32 * MB,
  /** Values in a message or body, names included: no more than can be looked at in a moment. */
  jsonValues: 200_000,
  /** Levels of JSON: deeper than anything a client has to say, and far from what a recursive walk could fail on. */
  jsonDepth: 100,
  /** Requests in one batch of JSON-RPC, and in all lines of one message. */
  batchRequests: 10_000,
  /** The answer to such a batch. */
  batchReplyBytes: 64 * MB,
  /** A connection with more unanswered requests, or more bytes of them, is not read from. */
  pendingRequests: 1024,
  pendingBytes: 64 * MB,
  /** Answers on their way: to one connection, and to all. */
  answersBytes: { perConnection: 128 * MB, total: 512 * MB },
  /** Bodies and HTTP answers over 1 MiB that are on their way, of all. */
  bodiesBytes: 512 * MB,
  /** WebSocket messages over 64 KiB that are not whole or not answered, of all. */
  inflowBytes: 512 * MB,
  /** Variables of an `environment`, and its characters as JSON; no program could be given much more. */
  environmentVariables: 4096,
  environmentLength: 1024 * 1024,
  /** Characters of `metadata` as JSON, and its levels: it is kept in memory and part of every list. */
  metadataLength: 64 * 1024,
  metadataDepth: 32,
  /** Characters of `permissions` as JSON, which are part of lists too. */
  permissionsLength: 64 * 1024,
  /** Those three of open sessions. */
  configsBytes: { perOwner: 64 * MB, total: 256 * MB },
  /** Messages of Jupyter's clients that wait for their turn in a kernel, also once these have gone, as they are in memory. */
  kernelMessagesBytes: { perOwner: 64 * MB, total: 256 * MB },
  /** Interpreters of a session, one for each `context`. */
  contexts: 256,
  /** A cell's results in memory: they are held in the reply and in the event log. */
  resultsBytes: 16 * MB,
  /** Output of running commands; beyond it is truncated. */
  outputBytes: { perOwner: 256 * MB, total: 512 * MB },
  /** Output and results of ended commands, and commands of a session that have some. */
  keptBytes: { perOwner: 128 * MB, total: 512 * MB },
  keptCommands: 64,
  /** Files being read and listed; one more is refused. */
  readsBytes: { perOwner: 256 * MB, total: 512 * MB },
  /** Event logs of sessions; beyond it each session keeps fewer events. */
  sessionEventsBytes: { perOwner: 256 * MB, total: 512 * MB },
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
  /** What one read of a file, and all files in a run's result, may have; larger ones of a run are fetched by their url. */
  readBytes: 32 * MB,
  /** Watches of a session, and directories of one. */
  watches: 16,
  watchedDirectories: 16_384,
  /** Debuggers of a session, and of all together: each may hold a few messages of up to 4 MiB. */
  debuggers: 4,
  allDebuggers: { perClient: 32, total: 64 },
  /** From debug.start until its one connection has come, and has said something. */
  debugTicketSeconds: 60,
  /** Ports of a session that have names, and what is open to them at once. */
  exposedPorts: 16,
  portConnections: 64,
  /** Columns and rows of a terminal. */
  terminalSide: 1000,
  /** A write that is sent to a sandbox without waiting for what is before it: one frame of the agent's. */
  chainedBytes: 64 * 1024,
  /** Commands of one batch. */
  batchCommands: 1000,
  /** Answers of a batch's commands together, as JSON. */
  batchAnswerBytes: 64 * MB,
  /** Events of runs that have ended, in memory while clients read them again: one more is refused. */
  replaysBytes: { perOwner: 128 * MB, total: 256 * MB },
  /** Runs followed by `/events`: each may hold a log's kept events, usually 1 MiB. */
  eventStreams: { perClient: 256, total: 1024 },
  /** Clients that follow what happens, what waits for one of them, and what is kept for those that come back. */
  statusReaders: { perClient: 256, total: 1024 },
  statusEvents: 1000,
  statusEventsBytes: 1 * MB,
  /** Files on their way, over HTTP or `/ws/data`: each holds a window of the agent's stream and one of its socket. */
  transfers: { perClient: 64, total: 256 },
  transfersOfConnection: 32,
  /** Those that are compressed on their way: that is work of the service's own CPUs, and up to 16 MiB each. */
  codedTransfers: { perClient: 4, total: 16 },
  /** Of which so many pieces are worked on at once, one of a client's: half of the threads that Node has for such work. */
  codingsAtOnce: 2,
  /** Uploads of a session that were cut and can be gone on with. */
  cutUploads: 32,
  /** Those that are decoded as they come: each keeps what its decoder remembers, up to 16 MiB. */
  codedUploads: { perOwner: 4, total: 16 },
  /** Characters of a text message of `/ws/data`: the longest path has less, however it is escaped. */
  dataMessageLength: 64 * 1024,
} as const;
