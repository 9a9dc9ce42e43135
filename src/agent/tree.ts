import { AT_FDCWD, c, check, cstring, decode, names, O, readSmall } from './libc.ts';

/** A process as /proc shows it. */
interface Proc {
  readonly pid: number;
  readonly parent: number;
  /** Hundredths of a second since boot. */
  readonly startedAt: number;
  /** A zombie: it does nothing any more and waits to be collected. */
  readonly ended: boolean;
}

export interface Victims {
  readonly root: number;
  readonly keepRoot: boolean;
  /** Roots of other programs; they and what descends from them are spared. */
  readonly others: ReadonlySet<number>;
  /** Only what started since then; see {@link bootTicks}. */
  readonly since: number;
}

const SIGKILL = 9;
const SIGCONT = 18;
const SIGSTOP = 19;
/** Passes over /proc before everything is stopped at once instead. */
const MAX_PASSES = 20;

/**
 * Kills a program's whole tree: what descends from it, and what was orphaned since it began and belongs to no other
 * program. Everything is stopped before anything is killed, and that is repeated until nothing new is found and
 * nothing has ended while /proc was read, since what ends may have forked unseen. An orphan counts to every program
 * that ran when it was born.
 */
export function killTree(victims: Victims): void {
  const seen = new Set<string>();
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { found, ended, torn } = find(victims);
    const fresh = found.filter(proc => !seen.has(keyOf(proc)));
    const unsure = torn || ended.some(proc => !seen.has(keyOf(proc)));
    if (fresh.length === 0 && !unsure) return;
    for (const { pid } of fresh) c.kill(pid, SIGSTOP);
    for (const { pid } of fresh) c.kill(pid, SIGKILL);
    // What was killed is seen again until the kernel has freed its memory.
    for (const proc of [...fresh, ...ended]) seen.add(keyOf(proc));
  }
  if (c.getpid() === 1) freezeAndKill(victims);
}

const keyOf = ({ pid, startedAt }: Proc): string => `${pid} ${startedAt}`;

/** Ends whatever the agent has started. */
export function killAll(): void {
  const self = c.getpid();
  if (self === 1) c.kill(-1, SIGKILL);
  else killTree({ root: self, keepRoot: true, others: new Set(), since: 0 });
}

/** For what forks faster than /proc can be read: no fork escapes a signal that goes to all. */
function freezeAndKill(victims: Victims): void {
  c.kill(-1, SIGSTOP);
  const doomed = new Set<number>();
  // Once more after the last: a fork that was under way brings its child, stopped, a moment later.
  for (let before = -1; before < doomed.size; ) {
    before = doomed.size;
    for (const { pid } of find(victims).found) {
      doomed.add(pid);
      c.kill(pid, SIGKILL);
    }
  }
  for (const { pid, parent } of processes().living) {
    if (parent !== 0 && !doomed.has(pid)) c.kill(pid, SIGCONT);
  }
}

interface Found {
  readonly found: readonly Proc[];
  /** Zombies. */
  readonly ended: readonly Proc[];
  /** Something vanished meanwhile. */
  readonly torn: boolean;
}

function find({ root, keepRoot, others, since }: Victims): Found {
  const { living, ended, torn } = processes();
  const byPid = new Map(living.map(proc => [proc.pid, proc]));
  const self = c.getpid();
  const found: Proc[] = [];
  let lostParent = false;
  for (const proc of living) {
    if (others.has(proc.pid)) continue;
    if (proc.pid === root) {
      if (!keepRoot) found.push(proc);
    } else if (proc.pid !== self && belongs(proc)) found.push(proc);
  }
  return { found, ended, torn: torn || lostParent };

  function belongs(proc: Proc): boolean {
    let ancestor: Proc | undefined = proc;
    for (let hops = 0; ancestor && hops <= living.length; hops++) {
      if (others.has(ancestor.pid)) return false;
      if (ancestor.pid === root) return !keepRoot || proc.startedAt >= since;
      if (ancestor.parent === self) return ancestor.startedAt >= since;
      // Came from outside: in no tree of the agent's.
      if (ancestor.parent === 0) return false;
      ancestor = byPid.get(ancestor.parent);
    }
    // Its parent went while /proc was read: the next pass sees whose child it is now.
    lostParent ||= proc.startedAt >= since;
    return false;
  }
}

/** All there are. */
function processes(): { living: Proc[]; ended: Proc[]; torn: boolean } {
  const fd = check('openat', c.openat(AT_FDCWD, cstring('/proc'), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0));
  const living: Proc[] = [];
  const ended: Proc[] = [];
  let torn = false;
  try {
    for (const name of names(fd)) {
      if (name[0]! < 48 || name[0]! > 57) continue;
      const proc = readProc(decode(name.subarray(0, -1)));
      if (!proc) torn = true;
      else if (proc.ended) ended.push(proc);
      else living.push(proc);
    }
  } finally {
    c.close(fd);
  }
  return { living, ended, torn };
}

/** Null when it is gone. */
function readProc(pid: string): Proc | null {
  const text = readSmall(`/proc/${pid}/stat`);
  // The name before the last parenthesis is the program's own choice.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  if (!state) return null;
  const ended = state === 'Z' || state === 'X';
  return { pid: Number(pid), parent: Number(parent), startedAt: Number(fields[19]), ended };
}
