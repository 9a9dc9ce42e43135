/** How a submission is doing or ended, as Judge0 numbers it. */
export const STATUSES = [
  { id: 1, description: 'In Queue' },
  { id: 2, description: 'Processing' },
  { id: 3, description: 'Accepted' },
  { id: 4, description: 'Wrong Answer' },
  { id: 5, description: 'Time Limit Exceeded' },
  { id: 6, description: 'Compilation Error' },
  { id: 7, description: 'Runtime Error (SIGSEGV)' },
  { id: 8, description: 'Runtime Error (SIGXFSZ)' },
  { id: 9, description: 'Runtime Error (SIGFPE)' },
  { id: 10, description: 'Runtime Error (SIGABRT)' },
  { id: 11, description: 'Runtime Error (NZEC)' },
  { id: 12, description: 'Runtime Error (Other)' },
  { id: 13, description: 'Internal Error' },
  { id: 14, description: 'Exec Format Error' },
] as const;

/** Ids by a short name. */
export const STATUS = {
  queued: 1,
  running: 2,
  accepted: 3,
  wrongAnswer: 4,
  timeLimit: 5,
  compileError: 6,
  segmentation: 7,
  fileSize: 8,
  floatingPoint: 9,
  abort: 10,
  nonzeroExit: 11,
  otherError: 12,
  internalError: 13,
} as const;
export type StatusId = (typeof STATUS)[keyof typeof STATUS];

/** An entry of the list. */
export const describeStatus = (id: StatusId) => STATUSES[id - 1]!;
