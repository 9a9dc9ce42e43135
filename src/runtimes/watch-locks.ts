import { open } from 'node:fs/promises';
import { type GroupDirectories, readAllPids } from '../cgroup/cgroup.ts';

/** Locks on ranges of files that a sandbox may hold, some 200 bytes of the kernel's memory each. */
const MOST_LOCKS = 32_768;
/** As many are looked at. The kernel starts at the first for each page that is read: so many take it a third of a second. */
const MOST_LINES = 65_536;
/** Where the machine has more than that, what a sandbox may hold among those looked at, which are the newest ones. */
const MOST_OF_MANY = MOST_LINES / 16;
/** Milliseconds. */
const PERIOD_MS = 1000;
/** Looking takes a fifth of the time at most. */
const PAUSE = 4;
/** The kernel gives a page at once. */
const READ_BYTES = 4096;
/** proc_locks(5): number, kind, mode, access, process, file, range; what waits for a lock has an arrow, and is no lock yet. */
const HOLDER = /^\d+: \w+ +\w+ +\w+ +(\d+) /gm;

/** Why a sandbox was ended. */
export const TOO_MANY_LOCKS = 'its programs hold more locks on files than a sandbox may have';

const watched = new Map<GroupDirectories, () => void>();
let waiting = false;

/**
 * Calls `end` when the programs of a control group hold more locks on ranges of files than a sandbox may: no control group is
 * charged for them (Linux 6.18), and they have no limit. All of the machine's locks are in one file, /proc/locks, which is read
 * once a second for all sandboxes while there is one. A lock bears the number of the process that took it, as this process
 * sees it: the filter refuses those that bear none, and processes that share their descriptors, whose locks outlive their
 * taker (src/seccomp/rules.ts).
 */
export function watchLocks(groups: GroupDirectories, end: () => void): Disposable {
  watched.set(groups, end);
  wait(PERIOD_MS);
  return { [Symbol.dispose]: () => void watched.delete(groups) };
}

function wait(ms: number): void {
  if (waiting) return;
  waiting = true;
  setTimeout(() => void look(), ms).unref();
}

async function look(): Promise<void> {
  const began = performance.now();
  try {
    const { holders, total } = await holdersOfLocks();
    const most = total < MOST_LINES ? MOST_LOCKS : MOST_OF_MANY;
    if (total > most) for (const [groups, end] of [...watched]) if (heldBy(groups, holders) > most) end();
  } catch {
    // Nobody can tell on this machine.
  }
  waiting = false;
  if (watched.size > 0) wait(Math.max(PERIOD_MS, (performance.now() - began) * PAUSE));
}

async function holdersOfLocks(): Promise<{ holders: Map<number, number>; total: number }> {
  const holders = new Map<number, number>();
  let total = 0;
  let rest = '';
  await using file = await open('/proc/locks');
  const buffer = Buffer.alloc(READ_BYTES);
  while (total < MOST_LINES) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) break;
    const text = rest + buffer.toString('latin1', 0, bytesRead);
    const whole = text.lastIndexOf('\n') + 1;
    rest = text.slice(whole);
    for (const [, pid] of text.slice(0, whole).matchAll(HOLDER)) {
      holders.set(Number(pid), (holders.get(Number(pid)) ?? 0) + 1);
      total++;
    }
  }
  return { holders, total };
}

function heldBy({ pids }: GroupDirectories, holders: ReadonlyMap<number, number>): number {
  try {
    return readAllPids(pids).reduce((sum, pid) => sum + (holders.get(pid) ?? 0), 0);
  } catch {
    // It is being taken away.
    return 0;
  }
}
