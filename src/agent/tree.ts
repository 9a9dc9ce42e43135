import { AT_FDCWD, c, check, cstring, decode, names, O, readSmall } from './libc.ts';

/** A process as /proc shows it. */
interface Proc {
  readonly pid: number;
  readonly parent: number;
  /** Hundredths of a second since boot. */
  readonly startedAt: number;
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
const SIGSTOP = 19;
/** Passes over /proc that each find somebody new before everything in the sandbox is killed instead. */
const MAX_PASSES = 100;

/**
 * Kills a program's whole tree: what descends from it, and what was orphaned since it began and belongs to no other
 * program. Everything is stopped before anything is killed, and that is repeated until nobody new is found, so that
 * what forks meanwhile is caught too. What was killed is not waited for: it may take long to die on a busy machine, but
 * forks no more. An orphan counts to every program that ran when it was born.
 */
export function killTree(victims: Victims): void {
  const killed = new Set<string>();
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = find(victims).filter(proc => !killed.has(nameOf(proc)));
    if (found.length === 0) return;
    for (const { pid } of found) c.kill(pid, SIGSTOP);
    for (const proc of found) {
      c.kill(proc.pid, SIGKILL);
      killed.add(nameOf(proc));
    }
  }
  if (c.getpid() === 1) c.kill(-1, SIGKILL);
}

/** Tells a process from a later one with its number. */
function nameOf({ pid, startedAt }: Proc): string {
  return `${pid} ${startedAt}`;
}

function find({ root, keepRoot, others, since }: Victims): Proc[] {
  const living = processes();
  const byPid = new Map(living.map(proc => [proc.pid, proc]));
  const self = c.getpid();
  const found: Proc[] = [];
  for (const proc of living) {
    if (proc.pid === self || others.has(proc.pid)) continue;
    if (proc.pid === root) {
      if (!keepRoot) found.push(proc);
    } else if (belongs(proc)) found.push(proc);
  }
  return found;

  function belongs(proc: Proc): boolean {
    let ancestor: Proc | undefined = proc;
    for (let hops = 0; ancestor && hops <= living.length; hops++) {
      if (others.has(ancestor.pid)) return false;
      if (ancestor.pid === root) return !keepRoot || proc.startedAt >= since;
      if (ancestor.parent === self || ancestor.parent === 0) return ancestor.startedAt >= since;
      ancestor = byPid.get(ancestor.parent);
    }
    // Its parent went while /proc was read: the next pass sees it as an orphan.
    return proc.startedAt >= since;
  }
}

/** All that live; zombies are dead already. */
function processes(): Proc[] {
  const fd = check('openat', c.openat(AT_FDCWD, cstring('/proc'), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0));
  const found: Proc[] = [];
  try {
    for (const name of names(fd)) {
      if (name[0]! < 48 || name[0]! > 57) continue;
      const proc = readProc(decode(name.subarray(0, -1)));
      if (proc) found.push(proc);
    }
  } finally {
    c.close(fd);
  }
  return found;
}

function readProc(pid: string): Proc | null {
  const text = readSmall(`/proc/${pid}/stat`);
  // The name before the last parenthesis is the program's own choice.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  if (!state || state === 'Z' || state === 'X') return null;
  return { pid: Number(pid), parent: Number(parent), startedAt: Number(fields[19]) };
}
