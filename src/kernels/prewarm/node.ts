/**
 * Holds Node.js just before its program: required beforehand, it waits for a line on descriptor 3, and Node.js then runs the
 * program as it runs every program. See ../protocol.ts.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Release } from '../protocol.ts';

const CONTROL = 3;
const FILE = 4;
const READ_BYTES = 64 * 1024;

function line(): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let text = '';
  while (!text.endsWith('\n')) {
    const length = readSync(CONTROL, buffer);
    // The service is gone.
    if (length === 0) process.exit(0);
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return text;
}

writeSync(CONTROL, '{"ready":true}\n');
const { args, environment, whole } = JSON.parse(line()) as Release;
closeSync(CONTROL);
if (whole) {
  closeSync(0);
  // Takes the lowest number that is free.
  openSync(`/proc/self/fd/${FILE}`, 'r');
}
closeSync(FILE);
process.argv.push(...args);
Object.assign(process.env, environment);
// As if started without this file, which is the last that was required.
process.execArgv.splice(process.execArgv.lastIndexOf('--require'), 2);
