import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import type { ForkRequest } from '../../../src/kernels/protocol.ts';
import { KernelProcess, newDirectory } from '../../kernels/kernel-process.ts';
import { needs } from '../../support/needs.ts';

/** What an interpreter does that is told to fork itself into a sandbox which is no more: it has the service's rights. */
const test = needs('root');
const HOLDING = join(import.meta.dirname, '../../../src/kernels/prewarm/python');
const directory = mkdtempSync(join(tmpdir(), 'fork-orders-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Where the launcher would start it, it finds the filter there; here it is an empty one, which nobody else sees. */
const BECOME =
  'mount --bind $0 /mnt && mount -t tmpfs none /tmp && : > /tmp/filter && PYTHONPATH=/mnt exec python3 -B nothing.py';

/** Tells one to fork into the sandbox of a process, in whose control group are those. Gives the answer and its last words. */
async function order(agent: number, members: readonly number[]) {
  await using python = await KernelProcess.start(
    ['unshare', '--mount', 'sh', '-c', BECOME, HOLDING],
    newDirectory(),
  );
  const procs = join(directory, 'cgroup.procs');
  writeFileSync(procs, members.map(pid => `${pid}\n`).join(''));
  const seen = `/proc/${process.pid}/root${procs}`;
  const fork = {
    sandbox: 'one',
    procs: [seen],
    members: seen,
    agent,
    ends: [-1, -1, -1, -1, -1],
    users: 1000,
    uid: null,
    cwd: '/',
  };
  let words = '';
  python.child.stderr!.on('data', text => {
    words += text;
  });
  const answered = once(python.control, 'data');
  python.control.write(`${JSON.stringify({ fork } satisfies ForkRequest)}\n`);
  const [answer] = await answered;
  // They come another way.
  await vi.waitFor(() => expect(words).not.toBe(''), { timeout: 30_000 });
  return { answer: JSON.parse(String(answer)), words };
}

test('it enters no process that is not in the sandbox’s control group', async () => {
  const refused = await order(process.pid, [process.pid + 1, process.ppid]);
  expect(refused.answer).toEqual({ forked: 'one', pid: null });
  expect(refused.words).toContain('the agent is gone');
  // One that is in there gets as far as its descriptors, of which this has none of that number.
  const entered = await order(process.pid, [process.pid]);
  expect(entered.answer).toEqual({ forked: 'one', pid: null });
  expect(entered.words).toContain('pidfd_getfd');
});
