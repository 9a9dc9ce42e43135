import { Agent } from './agent.ts';
import { c, cstring, takeNoSignals, wakeOnChild } from './libc.ts';
import { killAll } from './tree.ts';

/**
 * The agent: one process inside every sandbox that starts programs and touches files for the service, over one byte
 * stream on standard input and output. This folder runs under Bun, is bundled into one file, and imports src/wire
 * only. It promises never to block on anything a program does.
 *
 * As process 1 of the sandbox it is out of reach of `kill -9 -1`, and orphans come to it.
 */

const PR_SET_CHILD_SUBREAPER = 36;

takeNoSignals();
wakeOnChild();
if (c.getpid() !== 1) c.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

const rootAt = process.argv.indexOf('--root');
const root = rootAt > 0 ? process.argv[rootAt + 1]! : '/workspace';

try {
  new Agent(0, 1, root).run();
} catch (error) {
  const words = cstring(`${error instanceof Error ? error.message : error}\n`).subarray(0, -1);
  c.write(2, words, words.byteLength);
  killAll();
  process.exit(1);
}
