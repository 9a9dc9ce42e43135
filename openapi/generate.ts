import { readFileSync, writeFileSync } from 'node:fs';
import { contracts } from './contracts.ts';

/**
 * Writes openapi.json and openrpc.json from the code (`npm run contracts`); with `--check` only compares, and exits 1
 * when a committed file differs. protocol.md beside them is written by hand.
 */
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [name, text] of Object.entries(await contracts())) {
  const file = new URL(name, import.meta.url);
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) stale.push(name);
}
if (stale.length > 0) {
  console.error(`${stale.join(' and ')} in openapi/ differ from the code: run npm run contracts and commit.`);
  process.exitCode = 1;
}
