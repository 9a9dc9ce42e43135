import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two questions: without it the server would do little but answer them. */
const PAUSE_MS = 10;

/**
 * The most that a server's own thread worked between two answers about its health while something went on, milliseconds of
 * CPU: how long others wait for it where nothing else runs. On a busy machine they wait longer, for the machine.
 */
export async function longestWait({ url, pid }: Server, work: Promise<unknown>): Promise<number> {
  let going = true;
  void work.finally(() => (going = false)).catch(() => {});
  let longest = 0;
  do {
    const since = threadMs(pid);
    await (await fetch(`${url}/health/live`)).text();
    longest = Math.max(longest, threadMs(pid) - since);
    await sleep(PAUSE_MS);
  } while (going);
  await work;
  return longest;
}

interface Server {
  readonly url: string;
  readonly pid: number;
}

/** User and system time of a process's first thread (proc(5), counted in hundredths of a second). */
function threadMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
