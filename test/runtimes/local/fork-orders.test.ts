import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import { HOLD_FILE } from '../../../src/agent/artifact.ts';
import type { ForkRequest } from '../../../src/kernels/protocol.ts';
import { findInterpreters } from '../../../src/runtimes/interpreters.ts';
import { KernelProcess, newDirectory } from '../../kernels/kernel-process.ts';
import { needs } from '../../support/needs.ts';

/** What an interpreter does that is told to fork itself into a sandbox which is no more: it has the service's rights. */
const test = needs('root');
const directory = mkdtempSync(join(tmpdir(), 'fork-orders-'));
afterAll(() => rmSync(directory, { recursive: true }));

const PYTHON = join(import.meta.dirname, '../../../src/kernels/prewarm/python');
/** As in the library of sandboxes. */
const BUN = join(directory, 'bun');
mkdirSync(BUN);
copyFileSync(HOLD_FILE, join(BUN, 'hold.node'));
writeFileSync(join(BUN, 'package.json'), '{ "name": "reflect-metadata" }');
writeFileSync(join(BUN, 'hold.js'), "process.dlopen({ exports: {} }, '/mnt/hold.node');");
writeFileSync(join(BUN, 'main.js'), '');

// Itself may lie below what is covered.
writeFileSync(join(BUN, 'bun'), '');

/** Where the launcher would start one, it finds the filter there; here it is one instruction, which nobody else sees. */
const COVER =
  "mount -t tmpfs none /tmp && printf '\\0\\0\\0\\0\\0\\0\\0\\0' > /tmp/filter && cd /mnt && exec";
const SHOW = 'mount --bind $0 /mnt &&';
const HELD = [
  ['Python', PYTHON, `${SHOW} ${COVER} env PYTHONPATH=/mnt python3 -B nothing.py`],
  [
    'Bun',
    BUN,
    `${SHOW} mount --bind ${findInterpreters()!.bun} /mnt/bun && ${COVER} ./bun --no-install --preload ./hold.js main.js 4</dev/null`,
  ],
] as const;

/** Tells one to fork into the sandbox of a process, in whose control group are those. Gives the answer and its last words. */
async function order([, place, become]: (typeof HELD)[number], agent: number, members: readonly number[]) {
  await using interpreter = await KernelProcess.start(
    ['unshare', '--mount', 'sh', '-c', become, place],
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
  interpreter.child.stderr!.on('data', text => {
    words += text;
  });
  const answered = once(interpreter.control, 'data');
  interpreter.control.write(`${JSON.stringify({ fork } satisfies ForkRequest)}\n`);
  const [answer] = await answered;
  // They come another way.
  await vi.waitFor(() => expect(words).not.toBe(''), { timeout: 30_000 });
  return { answer: JSON.parse(String(answer)), words };
}

test('it enters no process that is not in the sandbox’s control group', async () => {
  for (const held of HELD) {
    const refused = await order(held, process.pid, [process.pid + 1, process.ppid]);
    expect(refused.answer, held[0]).toEqual({ forked: 'one', pid: null });
    expect(refused.words, held[0]).toContain('the agent is gone');
    // One that is in there gets as far as its descriptors, of which this has none of that number.
    const entered = await order(held, process.pid, [process.pid]);
    expect(entered.answer, held[0]).toEqual({ forked: 'one', pid: null });
    expect(entered.words, held[0]).toContain('pidfd_getfd');
  }
});
