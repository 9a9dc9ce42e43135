import { serve } from './serve.ts';

/**
 * The agent: one process inside every sandbox that starts programs and touches files for the service, over one byte
 * stream on standard input and output. This folder runs under Bun, is bundled into one file, and imports src/wire
 * only. It promises never to block on anything a program does.
 *
 * As process 1 of the sandbox it is out of reach of `kill -9 -1`, and orphans come to it.
 */

/** The word after an option. */
function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at > 0 ? process.argv[at + 1] : undefined;
}

serve({
  root: option('--root') ?? '/workspace',
  silence: Number(option('--silence') ?? Number.POSITIVE_INFINITY),
});
