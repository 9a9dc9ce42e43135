import { Agent } from './agent.ts';
import { AT_FDCWD, c, check, cstring, O, readSmall, takeNoSignals, wakeOnChild } from './libc.ts';
import { killAll } from './tree.ts';

const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const FIRST_TO_DIE = cstring('1000').subarray(0, -1);

/**
 * The life of the agent, on standard input and output. `root` is where files are; `silence` is how many milliseconds
 * without a word of the service's it takes for its end, beside the end of the stream.
 */
export function serve({ root, silence }: { root: string; silence: number }): never {
  takeNoSignals();
  wakeOnChild();
  if (c.getpid() !== 1) c.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Opened first: once the agent is not dumpable, its own files in /proc belong to root.
  const score = check(
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
  const expendable = <T>(start: () => T): T => {
    c.write(score, FIRST_TO_DIE, FIRST_TO_DIE.byteLength);
    try {
      return start();
    } finally {
      c.write(score, ownScore, ownScore.byteLength);
    }
  };
  try {
    return new Agent({ input: 0, output: 1, root, silence, expendable }).run();
  } catch (error) {
    const words = cstring(`${error instanceof Error ? error.message : error}\n`).subarray(0, -1);
    c.write(2, words, words.byteLength);
    killAll();
    // Not by way of Bun, which may be a fork of itself here (src/launcher/zygote).
    while (true) c._exit(1);
  }
}
