import type { commands } from './index.ts';

type CommandType = (typeof commands)[number]['type'];
interface Example {
  /** The command's fields, as a client sends them. */
  readonly fields: object;
  readonly result: object;
}

const USAGE = {
  wallMs: 12,
  cpuMs: 9,
  peakMemoryBytes: 9_437_184,
  peakProcesses: 1,
  oomKilled: false,
  limitsHit: [],
};
const ENTRY = { type: 'file', modifiedAt: '2026-01-01T00:00:00.000Z' };

/** One command of each type and what it answers. In this order they work in a new session, with these answers but for times. */
export const EXAMPLES: Readonly<Record<CommandType, Example>> = {
  execute_code: {
    fields: { code: 'x = 10\nx * 2' },
    result: {
      exitCode: 0,
      stdout: '',
      stderr: '',
      outcome: 'ok',
      results: [{ 'text/plain': '20' }],
      error: null,
      executionCount: 1,
      durationMs: 12,
      usage: USAGE,
    },
  },
  write_file: {
    fields: { path: 'data/numbers.txt', content: '1\n2\n39\n' },
    result: { path: '/workspace/data/numbers.txt', bytes: 7 },
  },
  read_file: {
    fields: { path: 'data/numbers.txt' },
    result: { content: '1\n2\n39\n', bytes: 7, encoding: 'utf8' },
  },
  execute_shell: {
    fields: { commandName: 'wc', args: ['-l', 'data/numbers.txt'] },
    result: {
      exitCode: 0,
      stdout: '3 data/numbers.txt\n',
      stderr: '',
      outcome: 'ok',
      signal: null,
      durationMs: 12,
      usage: USAGE,
    },
  },
  list_directory: {
    fields: { path: 'data' },
    result: {
      path: '/workspace/data',
      entries: [{ name: 'numbers.txt', path: 'data/numbers.txt', size: 7, ...ENTRY }],
    },
  },
  stat: {
    fields: { path: 'data/numbers.txt' },
    result: {
      name: 'numbers.txt',
      path: '/workspace/data/numbers.txt',
      size: 7,
      mode: 0o644,
      ...ENTRY,
    },
  },
  diff: {
    fields: { originalPath: 'data/numbers.txt', modifiedContent: '1\n2\n40\n' },
    result: {
      diff: '--- a/data/numbers.txt\n+++ b/data/numbers.txt\n@@ -1,3 +1,3 @@\n 1\n 2\n-39\n+40\n',
      added: 1,
      removed: 1,
      identical: false,
      binary: false,
    },
  },
  apply_patch: {
    fields: {
      patch: '--- a/data/numbers.txt\n+++ b/data/numbers.txt\n@@ -1,3 +1,3 @@\n 1\n 2\n-39\n+40\n',
    },
    result: {
      applied: true,
      files: [
        {
          path: '/workspace/data/numbers.txt',
          action: 'modified',
          added: 1,
          removed: 1,
          offset: 0,
          fuzz: 0,
        },
      ],
    },
  },
  create_directory: { fields: { path: 'results' }, result: { path: '/workspace/results', created: true } },
  copy_file: {
    fields: { sourcePath: 'data/numbers.txt', destinationPath: 'results/copy.txt' },
    result: {
      sourcePath: '/workspace/data/numbers.txt',
      destinationPath: '/workspace/results/copy.txt',
      bytes: 7,
    },
  },
  move_file: {
    fields: { sourcePath: 'results/copy.txt', destinationPath: 'results/moved.txt' },
    result: {
      sourcePath: '/workspace/results/copy.txt',
      destinationPath: '/workspace/results/moved.txt',
      bytes: 7,
    },
  },
  delete_file: {
    fields: { path: 'results', recursive: true },
    result: { path: '/workspace/results', deleted: true },
  },
  install_packages: {
    fields: { packages: ['six==1.17.0'] },
    result: {
      manager: 'uv',
      layer: 'sha256:5f1b6c0d0e7f3a9b8f5e4c3d2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0f9e',
      installed: [
        {
          name: 'six',
          version: '1.17.0',
          bytes: 38_145,
          digest: 'sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274',
        },
      ],
      cached: false,
      durationMs: 12,
      restartNeeded: [],
    },
  },
  restart_context: { fields: {}, result: { context: 'default' } },
};

/** The whole answer of an example. */
export function exampleReply(type: CommandType): object {
  return {
    type,
    id: '3f0a52b8-6f57-4c0e-a7f5-2d0b1d7c9e11',
    success: true,
    result: EXAMPLES[type].result,
    error: null,
    durationMs: 12,
  };
}
