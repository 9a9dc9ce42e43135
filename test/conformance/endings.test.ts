import { describe, expect, inject, test } from 'vitest';
import { runtimes, sandboxes, startedSandboxes } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import { executionPrints, http, runOnce } from '../support/rest-client.ts';

/**
 * Every way a program can end, caused for real: by an interpreter's own doing on every runtime, by what a sandbox measures
 * and the service decides in each kind of sandbox.
 */
const server = inject('server');
const SIGNALS = ['SIGTERM', 'SIGKILL', 'SIGABRT'];

describe.for(await runtimes())('a one-shot in $name', ({ language, runtimeType, dialect }) => {
  type Program = typeof programs.HELLO;
  const run = (program: Program, config = {}) =>
    runOnce(server.url, { language, runtimeType, code: program[dialect], config });

  test('is completed and ok when it exits with 0, and stays so when it is cancelled afterwards', async () => {
    const end = await run(programs.HELLO);
    expect(end).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      exitCode: 0,
      signal: null,
      stdout: 'hello\n',
      stderr: '',
      timeout: false,
      errorType: null,
      runtimeType,
      truncated: false,
      stdoutBytes: 6,
      stderrBytes: 0,
      compile: null,
      files: [],
      missingFiles: [],
      usage: { oomKilled: false, limitsHit: [] },
    });
    const again = await http(`${server.url}/api/execution/${end.executionId}`, 'DELETE');
    expect(again).toMatchObject({ status: 200, body: { status: 'completed', outcome: 'ok' } });
  });

  test('is failed with its exit code when that is not 0', async () => {
    expect(await run(programs.EXIT_3)).toMatchObject({
      status: 'failed',
      outcome: 'nonzero_exit',
      exitCode: 3,
      signal: null,
      stdout: 'before\n',
      stderr: 'why\n',
      errorType: 'runtime_error',
    });
  });

  test('shows an uncaught exception with its line on stderr', async () => {
    const end = await run(programs.UNCAUGHT);
    expect(end).toMatchObject({ status: 'failed', outcome: 'nonzero_exit', exitCode: 1, stdout: 'before\n' });
    expect(end.stderr).toMatch(/(ValueError|TypeError).*no such luck|no such luck/s);
    expect(end.stderr).toMatch(/line 3|:3/);
  });

  // The agent that tells of them is the same everywhere.
  test.for(runtimeType === 'Python' ? SIGNALS : ['SIGABRT'])('is signalled when %s ends it', async signal => {
    expect(await run(programs.dieOf(signal))).toMatchObject({
      status: 'failed',
      outcome: 'signalled',
      exitCode: null,
      signal,
      stdout: 'before\n',
      errorType: 'runtime_error',
    });
  });

  test('is a memory_limit when it allocates too much', async () => {
    const end = await run(programs.allocate(400), { memoryLimit: 192 });
    expect(end).toMatchObject({
      status: 'failed',
      outcome: 'memory_limit',
      errorType: 'memory_limit',
      stdout: 'before\n',
      usage: { limitsHit: ['memory'] },
    });
    expect(end.usage.peakMemoryBytes).toBeGreaterThan(100 << 20);
    expect(end.usage.peakMemoryBytes).toBeLessThanOrEqual(193 << 20);
  });
});

describe.for(await startedSandboxes())('a one-shot in $name', ({ language, runtimeType, dialect }) => {
  const run = (program: typeof programs.HELLO, config = {}) =>
    runOnce(server.url, { language, runtimeType, code: program[dialect], config });

  test('is a cpu_timeout when it has used up its cpuTime', async () => {
    expect(await run(programs.SPIN, { cpuTime: 0.2, timeout: 20 })).toMatchObject({
      status: 'timeout',
      outcome: 'cpu_timeout',
      timeout: true,
      errorType: 'timeout',
      stdout: 'before\n',
    });
  });

  test('sums cpuTime over all of its processes', async () => {
    const end = await run(programs.SPINNING_CHILDREN, { cpuTime: 0.25, cpuLimit: 4, timeout: 20 });
    expect(end).toMatchObject({ status: 'timeout', outcome: 'cpu_timeout', stdout: 'before\n' });
  });

  describe('runs out of memory and is a memory_limit', () => {
    const spent = {
      status: 'failed',
      outcome: 'memory_limit',
      errorType: 'memory_limit',
      stdout: 'before\n',
    };

    test('when many children together take too much', async () => {
      expect(await run(programs.ALLOCATING_CHILDREN, { memoryLimit: 192 })).toMatchObject(spent);
    });

    // A container has a disk for each, all smaller than the one that a local sandbox has for them together.
    const inContainer = runtimeType === 'Docker';
    const places = inContainer ? ['/workspace'] : ['/workspace', '/tmp', '/dev/shm'];
    const [fileMB, heldMB] = inContainer ? [66, 155] : [105, 130];

    test('but not when so much fits', async () => {
      expect(await run(programs.allocate(heldMB), { memoryLimit: 224 })).toMatchObject({ outcome: 'ok' });
    });

    test.for(places)('when it has filled %s before', async directory => {
      const filled = programs.fillThenAllocate(directory, fileMB, heldMB);
      expect(await run(filled, { memoryLimit: 224 })).toMatchObject(spent);
    });
  });

  test('goes on when a child is killed for memory, and says so', async () => {
    expect(await run(programs.CHILD_OUT_OF_MEMORY, { memoryLimit: 192 })).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      stdout: 'child died of 9\n',
      usage: { oomKilled: true, limitsHit: ['memory'] },
    });
  });

  test('is a process_limit when it fails after a fork was refused', async () => {
    const end = await run(programs.forkUntilRefused(1));
    expect(end).toMatchObject({ status: 'failed', outcome: 'process_limit', errorType: 'runtime_error' });
    expect(end.stdout).toBe('before\nrefused True\n');
    expect(end.usage.peakProcesses ?? 128).toBeLessThanOrEqual(128);
  });

  test('is ok when it recovers from a refused fork, and limitsHit says so', async () => {
    const end = await run(programs.forkUntilRefused(0));
    expect(end).toMatchObject({ status: 'completed', outcome: 'ok', usage: { limitsHit: ['processes'] } });
  });
});

describe.for(await sandboxes())('a one-shot in $name', ({ language, runtimeType, dialect }) => {
  const run = (program: typeof programs.HELLO, config = {}) =>
    runOnce(server.url, { language, runtimeType, code: program[dialect], config });

  test.for(['/workspace', '/tmp'])('is a disk_limit when it fails on a full %s', async directory => {
    const end = await run(programs.fillDisk(directory, 1), { memoryLimit: 192 });
    expect(end).toMatchObject({ status: 'failed', outcome: 'disk_limit', errorType: 'runtime_error' });
    expect(end.stdout).toBe('before\nrefused 28\n');
  });

  test('is a disk_limit when it fails for want of inodes', async () => {
    const end = await run(programs.FILL_INODES);
    expect(end).toMatchObject({ status: 'failed', outcome: 'disk_limit', usage: { limitsHit: ['disk'] } });
    expect(end.stdout).toBe('before\nrefused 28\n');
  });

  test('is ok when it recovers from a full disk, and limitsHit says so', async () => {
    const end = await run(programs.fillDisk('/workspace', 0), { memoryLimit: 192 });
    expect(end).toMatchObject({ status: 'completed', outcome: 'ok', usage: { limitsHit: ['disk'] } });
  });

  test('is an output_limit when it prints without end', async () => {
    const end = await run(programs.FLOOD, { timeout: 100 });
    expect(end).toMatchObject({
      status: 'failed',
      outcome: 'output_limit',
      errorType: 'output_limit',
      truncated: true,
      usage: { limitsHit: ['output'] },
    });
    expect(end.stdout).toHaveLength(1 << 20);
    expect(end.stdoutBytes).toBeGreaterThanOrEqual(64 << 20);
  });
});

/** They wait for clocks, and so do it beside each other. */
describe.concurrent.for(await startedSandboxes())(
  'a one-shot in $name',
  ({ language, runtimeType, dialect }) => {
    const run = (program: typeof programs.HELLO, config = {}) =>
      runOnce(server.url, { language, runtimeType, code: program[dialect], config });

    test('is a wall_timeout when it sleeps too long', async () => {
      const end = await run(programs.SLEEP, { timeout: 4 });
      expect(end).toMatchObject({
        status: 'timeout',
        outcome: 'wall_timeout',
        timeout: true,
        errorType: 'timeout',
        exitCode: null,
        stdout: 'before\n',
      });
      expect(end.usage.wallMs).toBeGreaterThanOrEqual(2000);
    });

    // A machine that is so busy that it can't give even this share ends it for the wall's sake: it is tried again.
    test('is a cpu_timeout when the wall limit strikes a busy program, held to its cpuLimit', async ({
      expect,
    }) => {
      const outcome = async () => {
        const end = await run(programs.SPIN, { timeout: 4, cpuLimit: 0.1 });
        expect(end).toMatchObject({ status: 'timeout', stdout: 'before\n' });
        expect(end.usage.cpuMs).toBeLessThan(1000);
        return end.outcome;
      };
      // Each try in a container makes the machine busier, so that there are few.
      const tries = runtimeType === 'Docker' ? 5 : 20;
      let last = await outcome();
      for (let i = 1; i < tries && last !== 'cpu_timeout'; i++) last = await outcome();
      expect(last).toBe('cpu_timeout');
    });

    test('is cancelled by DELETE, which may be repeated and keeps what was printed', async () => {
      const request = { language, runtimeType, code: programs.SLEEP[dialect] };
      const { body } = await http(`${server.url}/api/execution`, 'POST', request);
      const at = `${server.url}/api/execution/${body.executionId}`;
      await executionPrints(server.url, body.executionId, 'before');
      const first = await http(at, 'DELETE');
      expect(first).toMatchObject({ status: 200, body: { status: 'cancelled', outcome: 'cancelled' } });
      expect(first.body).toMatchObject({ errorType: 'cancelled', stdout: 'before\n', timeout: false });
      expect(await http(at, 'DELETE')).toMatchObject({ status: 200, body: first.body });
      expect(await http(at)).toMatchObject({ status: 200, body: first.body });
    });
  },
);
