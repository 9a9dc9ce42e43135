import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadMemoryGroups } from '../support/memory-groups.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';
import { vanishes } from '../support/traces.ts';

const RUNS = 100;
/** What may stay for files that everybody reads, and what else this machine does meanwhile: other tests' groups go, too. */
const MAY_STAY = RUNS / 2;
const CLIENTS = 4;
/** Until the kernel has let go of the rest, milliseconds: half a minute was seen. */
const PATIENCE_MS = 60_000;

let server: RunningServer;
beforeAll(async () => {
  // What earlier tests have left, of which some would go meanwhile; it takes root (proc_sys_vm(5)).
  if (process.getuid?.() === 0) writeFileSync('/proc/sys/vm/drop_caches', '3');
  server = await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python' } });
});
afterAll(() => server.stop());

/** Names some more than are needed, and no more: all of them would be cold directories of the whole system. */
const FIND = `find /usr/share /usr/lib -xdev -type f -perm -o=r -size +16 -size -512 | head -n ${2 * RUNS}`;
/** Has memory forget files, named on its standard input: POSIX_FADV_DONTNEED of posix_fadvise(2). */
const FORGET = 'while read -r path; do dd if="$path" iflag=nocache count=0; done';

/** Files of the system that everybody may read, and that memory has nothing of. */
function coldFiles(): string[] {
  const found = spawnSync('sh', ['-c', FIND], { encoding: 'utf8' }).stdout.split('\n');
  const files = found.filter(path => /^[\w./+-]+$/.test(path)).slice(-RUNS);
  spawnSync('sh', ['-c', FORGET], { input: `${files.join('\n')}\n` });
  return files;
}

test(`${RUNS} programs and cells that each read a file first leave few dead memory groups`, async () => {
  const files = coldFiles();
  expect(files).toHaveLength(RUNS);
  const before = deadMemoryGroups();
  const read = async () => {
    for (let path = files.pop(); path !== undefined; path = files.pop()) {
      const code = `print(len(open(${JSON.stringify(path)}, "rb").read()) > 4096)`;
      if (files.length % 2 === 0) {
        expect(await runOnce(server.url, { language: 'python', code })).toMatchObject({ stdout: 'True\n' });
        continue;
      }
      await using session = await TestSession.open(server.wsUrl, { language: 'python' });
      expect(await session.prints(code)).toBe('True\n');
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, read));
  // They go some time after their directory.
  const more = () => {
    const now = deadMemoryGroups();
    return now - before > MAY_STAY ? [`${before} before, ${now} after`] : [];
  };
  expect(await vanishes(more, PATIENCE_MS)).toEqual([]);
});
