import { describe, expect, it } from 'vitest';
import {
  decideOutcome,
  limitsHit,
  type Observations,
  timeoutCause,
} from '../../../src/service/supervision/outcome.ts';

const clean: Observations = {
  cause: null,
  exitCode: 0,
  signal: null,
  oomKills: 0,
  forksRefused: 0,
  diskFull: false,
  truncated: false,
  lost: null,
};

describe('the outcome of a run', () => {
  it.each([
    ['ok', {}],
    ['nonzero_exit', { exitCode: 3 }],
    ['signalled', { exitCode: null, signal: 'SIGSEGV' }],
    ['memory_limit', { exitCode: null, signal: 'SIGKILL', oomKills: 1 }],
    ['process_limit', { exitCode: 1, forksRefused: 5 }],
    ['disk_limit', { exitCode: 1, diskFull: true }],
    ['sandbox_lost', { exitCode: null, lost: { outOfMemory: false } }],
    ['memory_limit', { exitCode: null, lost: { outOfMemory: true } }],
    ['cancelled', { exitCode: null, signal: 'SIGKILL', cause: 'cancelled' }],
    ['wall_timeout', { exitCode: null, signal: 'SIGKILL', cause: 'wall_timeout', oomKills: 1 }],
  ] as const)('is %s for %j', (outcome, observations) => {
    expect(decideOutcome({ ...clean, ...observations })).toBe(outcome);
  });

  it('is ok for a program that recovered from limits, which are named', () => {
    const observations = { ...clean, oomKills: 1, forksRefused: 1, truncated: true };
    expect(decideOutcome(observations)).toBe('ok');
    expect(limitsHit(observations)).toEqual(['memory', 'processes', 'output']);
  });

  it('calls a wall limit that struck busy processes the CPU’s', () => {
    expect(timeoutCause(800, 1000, 1)).toBe('cpu_timeout');
    expect(timeoutCause(799, 1000, 1)).toBe('wall_timeout');
    expect(timeoutCause(400, 1000, 0.5)).toBe('cpu_timeout');
    expect(timeoutCause(800, 1000, 4)).toBe('cpu_timeout');
    expect(timeoutCause(null, 1000, 1)).toBe('wall_timeout');
  });
});
