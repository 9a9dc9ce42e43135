import { Agent } from './agent.ts';
import { AT_FDCWD, c, check, cstring, O, readSmall, takeNoSignals, wakeOnChild } from './libc.ts';
import { killAll } from './tree.ts';

/**
 * The agent: one process inside every sandbox that starts programs and touches files for the service, over one byte
 * stream on standard input and output. This folder runs under Bun, is bundled into one file, and imports src/wire
 * only. It promises never to block on anything a program does.
 *
 * As process 1 of the sandbox it is out of reach of `kill -9 -1`, and orphans come to it.
 */

const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const FIRST_TO_DIE = cstring('1000').subarray(0, -1);

takeNoSignals();
wakeOnChild();
if (c.getpid() !== 1) c.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
/** Opened first: once the agent is not dumpable, its own files in /proc belong to root. */
const oomScore = check(
  'openat',
  c.openat(AT_FDCWD, cstring('/proc/self/oom_score_adj'), O.RDWR | O.CLOEXEC, 0),
);
const ownScore = cstring(readSmall('/proc/self/oom_score_adj').trim()).subarray(0, -1);
// Without this a program of the same user could open /proc/1/mem or /proc/1/fd and speak in the agent's name.
check('prctl', c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));

/**
 * A program inherits what the agent is at the moment of the fork. It can take that back, and then a program that
 * fills the memory with many small processes may lose its agent, and so its own sandbox, which is told as memory_limit.
 */
function expendable<T>(start: () => T): T {
  c.write(oomScore, FIRST_TO_DIE, FIRST_TO_DIE.byteLength);
  try {
    return start();
  } finally {
    c.write(oomScore, ownScore, ownScore.byteLength);
  }
}

/** The word after an option. */
function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at > 0 ? process.argv[at + 1] : undefined;
}

const root = option('--root') ?? '/workspace';
/** Milliseconds without a word of the service's after which the agent ends; by default its stream's end tells. */
const silence = Number(option('--silence') ?? Number.POSITIVE_INFINITY);

try {
  new Agent({ input: 0, output: 1, root, silence, expendable }).run();
} catch (error) {
  const words = cstring(`${error instanceof Error ? error.message : error}\n`).subarray(0, -1);
  c.write(2, words, words.byteLength);
  killAll();
  process.exit(1);
}
