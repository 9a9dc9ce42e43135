/**
 * Holds Node.js just before its program: required beforehand, it waits for a line on descriptor 3, and Node.js then runs the
 * program as it runs every program. See ../protocol.ts.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Release } from '../protocol.ts';
import { controlLine } from './control-line.ts';

const CONTROL = 3;
const FILE = 4;

writeSync(CONTROL, '{"ready":true}\n');
const line = controlLine(buffer => readSync(CONTROL, buffer));
const { args, environment, whole } = JSON.parse(line ?? process.exit(0)) as Release;
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
