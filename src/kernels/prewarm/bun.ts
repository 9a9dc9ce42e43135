/**
 * Holds Bun just before its program: preloaded, it waits for a line on descriptor 3, and Bun then runs the program as it
 * runs every program. See ../protocol.ts. Without node:fs, which takes longer to load than all of Bun.
 */

import { dlopen, FFIType } from 'bun:ffi';
import { forgetRoot } from '../javascript/forget-directories.ts';
import type { Release } from '../protocol.ts';
import { controlLine } from './control-line.ts';

const { i32, ptr, u64, i64_fast } = FFIType;
const { symbols: libc } = dlopen('libc.so.6', {
  read: { args: [i32, ptr, u64], returns: i64_fast },
  write: { args: [i32, ptr, u64], returns: i64_fast },
  close: { args: [i32], returns: i32 },
  dup2: { args: [i32, i32], returns: i32 },
});
const CONTROL = 3;
const FILE = 4;

const ready = new TextEncoder().encode('{"ready":true}\n');
libc.write(CONTROL, ready, ready.byteLength);
const line = controlLine(buffer => Number(libc.read(CONTROL, buffer, buffer.byteLength)));
const { args, environment, whole } = JSON.parse(line ?? process.exit(0)) as Release;
libc.close(CONTROL);
if (whole) libc.dup2(FILE, 0);
libc.close(FILE);
process.argv.push(...args);
Object.assign(process.env, environment);
// Bun has looked for the program already, when no packages were there.
if (environment.PATH?.includes('/node_modules/'))
  forgetRoot(process.getBuiltinModule('node:module').createRequire(process.argv[1]!));
// As if started without this file.
process.execArgv = process.execArgv.filter(
  (word, i, all) => word !== '--preload' && all[i - 1] !== '--preload',
);
