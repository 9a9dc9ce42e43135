import { constants } from 'node:os';
import type { StatusResponse } from '../../src/schemas/execution.ts';
import { CAUSE_IN_WORDS } from '../../src/schemas/outcome.ts';
import { isExpected } from './expected.ts';
import { COMPILE_FAILED } from './script-programs.ts';
import { STATUS, type StatusId } from './statuses.ts';
import type { Wish } from './submission.ts';

/** The most that is told of what a compile script printed, characters of what holds it: whole groups of Base64. */
const MOST_WORDS = 2 ** 20;

/** How a submission is doing or ended, as Judge0 tells it. */
export interface Verdict {
  readonly id: StatusId;
  /** In words; null where the status says all. */
  readonly message: string | null;
}

const OF_SIGNALS: Readonly<Record<string, StatusId>> = {
  SIGSEGV: STATUS.segmentation,
  SIGXFSZ: STATUS.fileSize,
  SIGFPE: STATUS.floatingPoint,
  SIGABRT: STATUS.abort,
};

export function verdictOf(status: StatusResponse, { expected, settings }: Wish): Verdict {
  const { outcome, exitCode, signal, usage } = status;
  if (status.status === 'pending') return { id: STATUS.queued, message: null };
  if (status.status === 'running') return { id: STATUS.running, message: null };
  const cause = (outcome && CAUSE_IN_WORDS[outcome]) ?? null;
  switch (outcome) {
    case 'compile_error':
      return { id: STATUS.compileError, message: null };
    case 'wall_timeout':
      return { id: STATUS.timeLimit, message: 'Time limit exceeded (wall clock)' };
    case 'cpu_timeout':
      return { id: STATUS.timeLimit, message: 'Time limit exceeded' };
    case 'memory_limit':
      return { id: STATUS.otherError, message: cause };
    case 'output_limit':
      return { id: STATUS.fileSize, message: cause };
    case 'cancelled':
    case 'sandbox_lost':
    case 'install_error':
    case null:
      return { id: STATUS.internalError, message: cause ?? 'The program could not be run' };
  }
  if (usage?.cpuMs != null && usage.cpuMs > settings.cpu_time_limit * 1000)
    return { id: STATUS.timeLimit, message: 'Time limit exceeded' };
  if (compileFailure(status) !== null) return { id: STATUS.compileError, message: null };
  if (signal)
    return {
      id: OF_SIGNALS[signal] ?? STATUS.otherError,
      message: `Caught fatal signal ${signalNumber(signal)}`,
    };
  if (exitCode !== 0)
    return { id: STATUS.nonzeroExit, message: cause ?? `Exited with error status ${exitCode}` };
  if (expected === null) return { id: STATUS.accepted, message: null };
  const stdout = bytesOf(status.stdout, status.stdoutEncoding);
  const same = isExpected(expected, { stdout, whole: stdout.length >= status.stdoutBytes });
  if (same === undefined)
    return {
      id: STATUS.internalError,
      message: `Only ${stdout.length} bytes of stdout were kept to compare`,
    };
  return { id: same ? STATUS.accepted : STATUS.wrongAnswer, message: null };
}

/** What the compile script of an archive printed, if that is where it ended. */
export function compileFailure({ files, exitCode }: StatusResponse): Buffer | null {
  const failed = exitCode === 1 ? files.find(({ path }) => path === COMPILE_FAILED) : undefined;
  return failed ? bytesOf((failed.content ?? '').slice(0, MOST_WORDS), failed.encoding ?? 'utf8') : null;
}

export const signalNumber = (signal: string | null): number | null =>
  (signal && (constants.signals as Readonly<Record<string, number>>)[signal]) || null;

export const bytesOf = (text: string, encoding: 'utf8' | 'base64' = 'utf8'): Buffer =>
  Buffer.from(text, encoding);
