import { expect, test } from 'vitest';
import type { RunResult } from '../../src/commands/command.ts';
import { statusResponse } from '../../src/service/status-response.ts';

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();

/** When a program started, by its status, that is told to have started and ended so long after it was taken. */
function startedAt(told: number, ended: number | null, durationMs = 0): string | null {
  const run = {
    executionId: 'id',
    status: ended === null ? 'running' : 'completed',
    language: 'python',
    runtimeType: 'Python',
  } as const;
  const times = { createdAt: at(0), startedAt: at(told), completedAt: ended === null ? null : at(ended) };
  const result = ended === null ? null : ({ outcome: 'ok', durationMs } as RunResult);
  return statusResponse({ ...run, ...times }, result).startedAt;
}

test('a program started when that was told, or as long before its end as it ran', () => {
  expect(startedAt(10, null)).toBe(at(10));
  expect(startedAt(10, 15, 4)).toBe(at(10));
  expect(startedAt(10, 12, 5)).toBe(at(7));
});

test('none started before it was taken', () => {
  expect(startedAt(2, 4, 5)).toBe(at(0));
});
