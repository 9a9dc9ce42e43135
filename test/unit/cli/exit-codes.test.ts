import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfError } from '../../../src/cli/exit-codes.ts';
import { CodeBeakerError } from '../../../src/client/codebeaker-error.ts';
import type { StatusResponse } from '../../../src/client/wire.ts';

/** What a process ends with that ran something. */
const ended = (outcome: StatusResponse['outcome'], exitCode: number | null, signal: string | null = null) =>
  exitCodeOf({ outcome, exitCode, signal } as StatusResponse);

test.each([
  [0, ended('ok', 0)],
  [3, ended('nonzero_exit', 3)],
  [139, ended('signalled', null, 'SIGSEGV')],
  [124, ended('wall_timeout', null, 'SIGKILL')],
  [124, ended('cpu_timeout', null, 'SIGKILL')],
  [137, ended('memory_limit', null, 'SIGKILL')],
  [1, ended('memory_limit', 1)],
  [137, ended('output_limit', null)],
  [130, ended('cancelled', null, 'SIGKILL')],
  [1, ended('compile_error', null)],
  [69, ended('install_error', null)],
  [70, ended('sandbox_lost', null)],
  [69, ended(null, null)],
])('%i for what ended so', (code, actual) => {
  expect(actual).toBe(code);
});

test('a program that failed is never a success, whatever its exit code was', () => {
  expect(ended('process_limit', 0)).toBe(1);
});

test.each([
  ['VALIDATION_ERROR', 64],
  ['UNSUPPORTED_LANGUAGE', 64],
  ['UNREACHABLE', 69],
  ['SESSION_NOT_FOUND', 69],
  ['CONNECTION_LOST', 70],
  ['UNAUTHORIZED', 77],
])('%s ends with %i', (code, exit) => {
  expect(exitCodeOfError(new CodeBeakerError(code, ''))).toBe(exit);
});
