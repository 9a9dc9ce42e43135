import { defineConfig } from 'vitest/config';

/**
 * Four kinds of tests, one after the other. `unit` mirror the rooms of src/ over doubles in memory: no
 * process, socket or file, and a clock that the test moves. `parts` try one part against the real thing and run beside each other; `whole` look at a
 * real server from outside, over HTTP and WebSocket, and share one that is started once (test/support/shared-server.ts); `alone` are those of them that
 * measure the whole machine, and so run one by one.
 * Limits are generous because a test must pass on a busy machine of two cores; no test measures speed.
 */
const UNIT = ['test/unit/**/*.test.ts'];
const WHOLE = [
  'test/conformance/**/*.test.ts',
  'test/e2e/**/*.test.ts',
  'test/security/**/*.test.ts',
  'test/examples/**/*.test.ts',
];
/** They measure the whole machine. */
const ALONE = ['test/security/kernel-memory.test.ts', 'test/security/socket-buffers.test.ts'];
/** Modules are loaded once for all files of a worker: tests leave nothing behind but those. */
const isolate = false;
const shared = {
  isolate,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
};
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT,
          isolate,
          testTimeout: 60_000,
          expect: { poll: { timeout: 15_000 } },
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, ...WHOLE, ...ALONE],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'whole',
          include: WHOLE,
          exclude: ALONE,
          globalSetup: 'test/support/shared-server.ts',
          // More than there are cores: much of their time is a clock’s.
          maxWorkers: 5,
          maxConcurrency: 8,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          name: 'alone',
          include: ALONE,
          globalSetup: 'test/support/shared-server.ts',
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
