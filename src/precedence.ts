import { readFileSync, writeFileSync } from 'node:fs';

/** As setpriority(2) counts: nine times the usual share, where processes compete for the CPU. */
const NICE = '-10';
/** proc_pid_stat(5): the name may hold anything; state, parent, group and session follow it. */
const SESSION = /\) \S \d+ \d+ (\d+) /;

/**
 * Has the server run before what it has started where both want the CPU: its event loop needs little and waits behind every program otherwise. Linux
 * weighs sessions and control groups against each other and not processes (sched(7), autogroup), so that this is of its session, which it must
 * lead: nobody else is in it then, as launcher, sandboxes and confined processes have their own. Where the kernel knows no such groups, or the
 * user may not, everything stays as it is.
 */
export function takePrecedence(): void {
  try {
    const session = Number(SESSION.exec(readFileSync('/proc/self/stat', 'latin1'))?.[1]);
    if (session === process.pid) writeFileSync('/proc/self/autogroup', NICE);
  } catch {
    // It shares as all do.
  }
}
