/**
 * Holds Bun just before its program: preloaded, it loads an addon that waits for a line on descriptor 3 (src/agent/hold), and Bun then
 * runs the program as it runs every program. See ../protocol.ts. Nothing else is loaded before: `node:fs` takes longer than all of Bun.
 */
import { setRandomSeed } from 'bun:jsc';
import { KERNELS } from '../../toolchains/toolchain.ts';
import type { Release } from '../protocol.ts';

const addon: { exports: { release?: string; seed?: number } } = { exports: {} };
try {
  process.dlopen(addon, `${KERNELS}/prewarm/bun/hold.node`);
} catch (error) {
  // A Bun of another C library, say. One line, as it may be told to operators.
  console.error((error as Error).message);
  process.exit(1);
}
const { release, seed } = addon.exports;
const { args } = JSON.parse(release!) as Release;
// Children of one interpreter would all draw the same numbers.
if (seed !== undefined) setRandomSeed(seed);
process.argv.push(...args);
// As if started without this file.
delete require.cache['bun:jsc'];
// Its own name stands there some promises after it has run, and before the program does.
let later = Promise.resolve();
for (let i = 0; i < 10; i++) later = later.then(() => {});
void later.then(() => delete require.cache[`${KERNELS}/prewarm/bun/hold.js`]);
process.execArgv = process.execArgv.filter(
  (word, i, all) => word !== '--preload' && all[i - 1] !== '--preload',
);
