import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { type GroupDirectories, readAllPids } from '../cgroup/cgroup.ts';

/** Locks on ranges of files that a sandbox may hold, some 200 bytes of the kernel's memory each. */
const MOST_LOCKS = 32_768;
/** As many are looked at. The kernel starts at the first for each page that is read: so many take it half a second and more. */
const MOST_LINES = 65_536;
/** Where the machine has more than that, what a sandbox may hold among those looked at, which are the newest ones. */
const MOST_OF_MANY = MOST_LINES / 16;
/** After so many more it is looked whether a sandbox holds too many already. */
const STEP = 8192;
/** Milliseconds. */
const PERIOD_MS = 1000;
/** Looking takes a fifth of the time, as long as it is not kept waiting itself: for that there is no pause. */
const PAUSE = 4;
const LONGEST_PAUSE_MS = 2000;
/** The kernel gives a page at once. So many this process reads itself. */
const READ_BYTES = 4096;
const OWN_READS = 64;
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
    for (const end of tooMany(holders, total)) end();
  } catch {
    // Nobody can tell on this machine.
  }
  waiting = false;
  const pause = Math.min(LONGEST_PAUSE_MS, (performance.now() - began) * PAUSE);
  if (watched.size > 0) wait(Math.max(PERIOD_MS, pause));
}

/**
 * Ends those that hold too many. Where sandboxes hold a little less than that each, and so many together that the locks of others are not
 * looked at any more, that is the one that holds most: the next time there is more room for those of others.
 */
function tooMany(holders: ReadonlyMap<number, number>, total: number): (() => void)[] {
  const most = total < MOST_LINES ? MOST_LOCKS : MOST_OF_MANY;
  if (total <= most) return [];
  const held = [...watched].map(([groups, end]) => ({ end, locks: heldBy(groups, holders) }));
  const over = held.filter(({ locks }) => locks > most);
  const areTheirs = held.reduce((sum, { locks }) => sum + locks, 0) > total / 2;
  if (over.length === 0 && total >= MOST_LINES && areTheirs)
    over.push(held.reduce((first, each) => (each.locks > first.locks ? each : first)));
  return over.map(({ end }) => end);
}

async function holdersOfLocks(): Promise<{ holders: Map<number, number>; total: number }> {
  const holders = new Map<number, number>();
  let total = 0;
  let rest = '';
  let next = MOST_LOCKS;
  await using file = await open('/proc/locks');
  for await (const piece of piecesOf(file)) {
    const text = rest + piece.toString('latin1');
    const whole = text.lastIndexOf('\n') + 1;
    rest = text.slice(whole);
    for (const [, pid] of text.slice(0, whole).matchAll(HOLDER)) {
      holders.set(Number(pid), (holders.get(Number(pid)) ?? 0) + 1);
      total++;
    }
    if (total >= MOST_LINES) break;
    if (total <= next) continue;
    next = total + STEP;
    if ([...watched.keys()].some(groups => heldBy(groups, holders) > MOST_LOCKS)) break;
  }
  return { holders, total };
}

/** After the first, by a process of its own: each page would wait for a turn of this one's, and a thread of it, which on a busy machine takes seconds. */
async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  if (yield* pagesOf(file, OWN_READS)) return;
  const reader = spawn('cat', { stdio: [file.fd, 'pipe', 'ignore'] });
  reader.on('error', () => {});
  try {
    if (reader.pid === undefined) yield* pagesOf(file, Number.POSITIVE_INFINITY);
    else yield* reader.stdout!;
  } finally {
    reader.kill('SIGKILL');
  }
}

/** Returns whether these were the last. */
async function* pagesOf(file: FileHandle, most: number): AsyncGenerator<Buffer, boolean> {
  const buffer = Buffer.alloc(READ_BYTES);
  for (let i = 0; i < most; i++) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) return true;
    yield buffer.subarray(0, bytesRead);
  }
  return false;
}

function heldBy({ pids }: GroupDirectories, holders: ReadonlyMap<number, number>): number {
  try {
    return readAllPids(pids).reduce((sum, pid) => sum + (holders.get(pid) ?? 0), 0);
  } catch {
    // It is being taken away.
    return 0;
  }
}
