import { writeFileSync } from 'node:fs';
import { http } from '../support/rest-client.ts';
import { pause, timed } from './measure.ts';

/**
 * Asks for a server's /health as a client that waits for no core: run as leader of a session, it has that session run before others, as the server
 * has its own. With the server's URL and how often; prints what each took, as JSON.
 */
const [, , url = '', count = ''] = process.argv;

try {
  writeFileSync('/proc/self/autogroup', '-10');
} catch {
  // It waits as all do.
}
const samples: number[] = [];
for (let i = 0; i < Number(count); i++) {
  await pause(20);
  samples.push(await timed(() => http(`${url}/health`)));
}
console.log(JSON.stringify(samples));
