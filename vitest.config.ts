import { defineConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestSpecification } from 'vitest/node';
import { failsForGood } from './test/support/fails-for-good.ts';

/**
 * Four kinds of tests. `unit`, which come first, mirror the rooms of src/ over doubles in memory: no
 * process, socket or file, and a clock that the test moves. `parts` try one part against the real thing, and `whole` look at a
 * real server from outside, over HTTP and WebSocket, and share one that is started once (test/support/shared-server.ts). They come one after the other:
 * some of `whole` look at what all of the machine has, or fill it. `alone` are those that
 * measure or take the whole machine, and so run one by one, at the end.
 * Limits are generous because a test must pass on a busy machine of two cores; no test measures speed.
 */
const UNIT = ['test/unit/**/*.test.ts'];
const WHOLE = [
  'test/conformance/**/*.test.ts',
  'test/e2e/**/*.test.ts',
  'test/security/**/*.test.ts',
  'test/examples/**/*.test.ts',
];
/** They measure the whole machine, or take all of it for a moment. */
const ALONE = [
  'test/agent/first-process.test.ts',
  'test/security/kernel-memory.test.ts',
  'test/security/socket-buffers.test.ts',
  'test/e2e/dead-groups.test.ts',
];
/** Modules are loaded once for all files of a worker: tests leave nothing behind but those. */
const isolate = false;
/** Modules are loaded by Node, as the service’s are, and run as they are written: what Vite makes of one takes a quarter longer. */
const experimental = { viteModuleRunner: false, nodeLoader: false };
/** More than there are cores: much of their time is a clock’s. */
const maxWorkers = 6;
const COMPILE_CACHE = 'test/support/compile-cache.ts';
const shared = {
  isolate,
  experimental,
  setupFiles: COMPILE_CACHE,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
};
const sharedServer = {
  globalSetup: 'test/support/shared-server.ts',
  setupFiles: [COMPILE_CACHE, 'test/support/shared-server-ready.ts'],
};
const report = process.env.TEST_REPORT;
/** Errors that nothing has caught are no test's, and in no report. */
const strayErrors: Reporter = {
  onTestRunEnd(_modules, errors) {
    if (errors.length > 0) failsForGood();
  },
};
/** Files that are small and take long. */
const LONG = [
  'runtimes/docker/other-kind',
  'runtimes/local/memory-groups',
  'packages/registry-processes',
  'runtimes/docker/connect-directly',
  'runtimes/watch-locks',
  'service/store/store-size',
  'service/store/free-pages',
  'e2e/dead-engine',
  'e2e/editors',
  'e2e/network',
  'e2e/thousand-sessions',
  'conformance/compiled',
  'conformance/debugging',
  'conformance/packages',
  'e2e/packages',
  'conformance/built-packages',
  'e2e/back-pressure',
  'security/swaps',
  'e2e/dead-dependencies',
  'e2e/hostile-engine',
  'security/slow-clients',
  'security/debuggers',
  'security/fuzz',
  'e2e/shutdown',
  'conformance/npm-packages',
  'e2e/crash',
  'e2e/random-closes',
  'e2e/docs-with-keys',
  'security/own-session',
  'security/forged-results',
  'conformance/compiler-words',
  'conformance/package-managers',
  'conformance/broken-contexts',
  'e2e/random-kills',
  'security/costly-messages',
  'conformance/held-output',
  'examples/examples',
  'conformance/figures-in-containers',
  'conformance/no-escape',
  'conformance/interrupts',
  'conformance/figures',
  'conformance/live-output',
  'conformance/early-interrupts',
];

/**
 * Has those begin first, so that none is left to run by itself at the end: where no times of earlier runs are known, as in a clone,
 * files are begun by their size.
 */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = LONG.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`));
      return project.config.sequence.groupOrder + (at < 0 ? 0.5 : at / LONG.length / 2);
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    reporters: [
      'default',
      strayErrors,
      ...(report ? [['json', { outputFile: report }] satisfies [string, object]] : []),
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT,
          isolate,
          experimental,
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
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'whole',
          include: WHOLE,
          exclude: ALONE,
          ...sharedServer,
          maxWorkers,
          maxConcurrency: 8,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          name: 'alone',
          include: ALONE,
          ...sharedServer,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
