import { expect, test } from 'vitest';
import { expectedOf } from '../../../routes/judge0/expected.ts';
import type { Wish } from '../../../routes/judge0/submission.ts';
import { compileFailure, verdictOf } from '../../../routes/judge0/verdict.ts';
import type { StatusResponse } from '../../../src/schemas/execution.ts';
import { statusResponse } from '../../../src/service/status-response.ts';

const ended: StatusResponse = {
  ...statusResponse(
    { executionId: 'id', status: 'completed', createdAt: '', language: 'python', runtimeType: 'Python' },
    null,
  ),
  outcome: 'ok',
  exitCode: 0,
  stdout: 'MQo=',
  stdoutEncoding: 'base64',
  stdoutBytes: 2,
};
const usage = {
  wallMs: 900,
  cpuMs: 900,
  peakMemoryBytes: 1,
  peakProcesses: 1,
  oomKilled: false,
  limitsHit: [],
};
const judge = (status: Partial<StatusResponse>, expected: string | null = null, cpu_time_limit = 5) =>
  verdictOf({ ...ended, ...status } as StatusResponse, {
    languageId: 71,
    expected: expected === null ? null : expectedOf(Buffer.from(expected)),
    settings: { cpu_time_limit } as Wish['settings'],
  });

test('a program that used more time than its limit is over it, however it ended', () => {
  expect(judge({ usage }, '1', 0.8).id).toBe(5);
  expect(judge({ usage, exitCode: 1, outcome: 'nonzero_exit' }, '1', 0.8).id).toBe(5);
  expect(judge({ usage }, '1', 0.9).id).toBe(3);
});

test.each([
  ['compile_error', 6],
  ['wall_timeout', 5],
  ['cpu_timeout', 5],
  ['memory_limit', 12],
  ['output_limit', 8],
  ['sandbox_lost', 13],
  ['cancelled', 13],
  [null, 13],
] as const)('%s has the status %i, whatever was printed', (outcome, id) => {
  expect(judge({ outcome, status: 'failed', exitCode: null }, '1').id).toBe(id);
});

test.each([
  ['disk_limit', { exitCode: 1 }, 11],
  ['process_limit', { exitCode: null, signal: 'SIGABRT' }, 10],
  ['signalled', { exitCode: null, signal: 'SIGXFSZ' }, 8],
  ['signalled', { exitCode: null, signal: 'SIGRTMAX' }, 12],
] as const)('%s with %j has the status %i', (outcome, end, id) => {
  expect(judge({ outcome, status: 'failed', ...end }).id).toBe(id);
});

test('output that was not all kept is judged only where that tells', () => {
  expect(judge({ stdoutBytes: 10 }, '').id).toBe(4);
  expect(judge({ stdoutBytes: 10 }, '1 and more')).toEqual({
    id: 13,
    message: 'Only 2 bytes of stdout were kept to compare',
  });
});

test('a compile script failed if it says so and the program ended as then', () => {
  const files = [{ path: '.compile_failed', content: 'why', encoding: 'utf8' as const }];
  const failed = { outcome: 'nonzero_exit', exitCode: 1, files } as const;
  expect(judge(failed).id).toBe(6);
  expect(compileFailure({ ...ended, ...failed, files })?.toString()).toBe('why');
  expect(judge({ ...failed, outcome: 'ok', exitCode: 0 }).id).toBe(3);
  const long = [{ path: '.compile_failed', content: 'x'.repeat(2 ** 20 + 1), encoding: 'utf8' as const }];
  expect(compileFailure({ ...ended, ...failed, files: long })).toHaveLength(2 ** 20);
});
