import { availableParallelism } from 'node:os';
import { describe, expect, inject, test } from 'vitest';
import { runtimes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** What programs size themselves by tells of their limits and not of the machine. */
const server = inject('server');
const COUNT = {
  python: 'import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))',
  javascript: 'console.log(require("node:os").availableParallelism(), navigator.hardwareConcurrency)',
};

describe.for(await runtimes())('$name', ({ language, runtimeType, dialect }) => {
  test.for([0.5, 1, 2])('counts as many CPUs as a limit of %s means', async cpuLimit => {
    const body = { language, runtimeType, code: COUNT[dialect], config: { cpuLimit } };
    const { body: ran } = await http(`${server.url}/api/execution?wait=true`, 'POST', body);
    const cpus = Math.min(Math.ceil(cpuLimit), availableParallelism());
    expect(ran).toMatchObject({ outcome: 'ok', stdout: `${cpus} ${cpus}\n` });
  });

  test('shows a session’s memory and CPUs, and lets nobody write them', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 200 });
    expect(await session.prints(COUNT[dialect])).toBe('1 1\n');
    expect((await session.shell('nproc')).stdout).toBe('1\n');
    // No engine shows a file of ours there; see openapi/differences.md.
    if (runtimeType === 'Docker') return;
    const script =
      'grep MemTotal /proc/meminfo; grep -c ^processor /proc/cpuinfo; grep -c "^cpu[0-9]" /proc/stat';
    const shown = await session.shell('sh', ['-c', `${script}; echo x > /proc/meminfo`]);
    expect(shown.stdout).toMatch(/^MemTotal: +204800 kB\n1\n1\n$/);
    expect(shown.stderr).toMatch(/Read-only file system/);
    // They lie on the sandbox's own disk, in a place that no program reaches.
    for (const file of ['meminfo', 'stat', 'cpuinfo'].map(name => `/proc/${name}`)) {
      const tries = `chmod 666 ${file} || mv ${file} . || ln ${file} linked || rm -f ${file} || find /workspace /tmp /dev/shm /home/sandbox -samefile ${file}`;
      expect(await session.shell('sh', ['-c', `cd /workspace; ${tries}`])).toMatchObject({
        exitCode: 0,
        stdout: '',
      });
    }
  });
});
