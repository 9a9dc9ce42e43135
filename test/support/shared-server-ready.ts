import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { READY, readyFile } from './shared-server.ts';

/** Tests that share a server begin when it is ready. */
const LOOK_MS = 100;
for (;;) {
  const said = await readFile(readyFile(), 'utf8').catch(() => '');
  if (said === READY) break;
  if (said) throw new Error(said);
  await sleep(LOOK_MS);
}
