import { defineConfig } from 'vitest/config';

/**
 * Two kinds of tests. `parts` mirror src/ and run beside each other; `whole` look at a real server from outside, over
 * HTTP and WebSocket, and share one that is started once (test/support/shared-server.ts). Limits are generous because
 * a test must pass on a busy machine of two cores; no test measures speed.
 */
const WHOLE = [
  'test/conformance/**/*.test.ts',
  'test/e2e/**/*.test.ts',
  'test/security/**/*.test.ts',
  'test/examples/**/*.test.ts',
];
const shared = { testTimeout: 120_000, hookTimeout: 120_000 };
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      { test: { ...shared, name: 'parts', include: ['test/**/*.test.ts'], exclude: WHOLE } },
      {
        test: {
          ...shared,
          name: 'whole',
          include: WHOLE,
          globalSetup: 'test/support/shared-server.ts',
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
