import { constants } from 'node:os';
import type { CodeBeakerError } from '../client/codebeaker-error.ts';
import type { StatusResponse } from '../client/wire.ts';

/** Exit codes that are no program's: those of sysexits.h, and of timeout(1) and shells. */
export const EXIT = {
  /** EX_USAGE: called in a way that can't be, or the service refuses what was asked. */
  usage: 64,
  /** EX_DATAERR: what came is not taken, or not all of it. */
  data: 65,
  /** EX_UNAVAILABLE: no service answers, or it can't do it. */
  unavailable: 69,
  /** EX_SOFTWARE: the connection, the sandbox or the service failed while it was done. */
  failed: 70,
  /** EX_NOPERM: a key is missing, or not taken. */
  denied: 77,
  timeout: 124,
  /** A limit other than time, where the program has no exit code of its own. */
  killed: 137,
} as const;

/** A shell's exit code for what a signal ended. */
export const exitCodeOfSignal = (signal: string): number =>
  128 + ((constants.signals as Record<string, number>)[signal] ?? 0);

/** What ends a process as a run has ended. */
export function exitCodeOf({ outcome, exitCode, signal }: StatusResponse): number {
  if (outcome === 'wall_timeout' || outcome === 'cpu_timeout') return EXIT.timeout;
  if (outcome === 'cancelled') return exitCodeOfSignal('SIGINT');
  // Nothing began, such as a program that is not there.
  if (outcome === 'install_error' || outcome === null) return EXIT.unavailable;
  if (outcome === 'sandbox_lost') return EXIT.failed;
  if (outcome === 'ok') return 0;
  // A program that failed is never a success.
  if (exitCode !== null) return exitCode || 1;
  if (outcome === 'signalled' && signal) return exitCodeOfSignal(signal);
  return outcome === 'compile_error' ? 1 : EXIT.killed;
}

const OF_REQUESTS = ['VALIDATION_ERROR', 'UNSUPPORTED_LANGUAGE', 'NOT_SUPPORTED', 'PAYLOAD_TOO_LARGE'];
const OF_KEYS = ['UNAUTHORIZED', 'FORBIDDEN'];
const OF_FAILURES = ['CONNECTION_LOST', 'INTERNAL_ERROR'];

export function exitCodeOfError({ code }: CodeBeakerError): number {
  if (OF_REQUESTS.includes(code)) return EXIT.usage;
  if (OF_KEYS.includes(code)) return EXIT.denied;
  return OF_FAILURES.includes(code) ? EXIT.failed : EXIT.unavailable;
}
