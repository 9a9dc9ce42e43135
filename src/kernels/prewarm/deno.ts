/**
 * Holds Deno just before its program: preloaded before all else, it waits for a line on descriptor 3, and Deno then runs the program
 * as it runs every program. See ../protocol.ts. Deno lets nobody touch its descriptors, so libc does it, for which it is started with
 * a right that it gives up before it waits; only programs that nobody set permissions for are held so.
 */
import { prepareProgram } from '../javascript/v8/deno-program.ts';
import type { Release } from '../protocol.ts';
import { controlLine } from './control-line.ts';

/** The little of Deno that this uses. */
interface DenoApi {
  readonly args: string[];
  readonly env: { set(name: string, value: string): void };
  dlopen(
    name: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<'read' | 'write' | 'close' | 'dup2', (...args: unknown[]) => number | bigint> };
  permissions: { revokeSync(descriptor: { name: string }): unknown };
  exit(code: number): never;
}

const CONTROL = 3;
const FILE = 4;

const { Deno } = globalThis as unknown as { Deno: DenoApi };
const { symbols: libc } = Deno.dlopen('libc.so.6', {
  read: { parameters: ['i32', 'buffer', 'usize'], result: 'isize' },
  write: { parameters: ['i32', 'buffer', 'usize'], result: 'isize' },
  close: { parameters: ['i32'], result: 'i32' },
  dup2: { parameters: ['i32', 'i32'], result: 'i32' },
});
Deno.permissions.revokeSync({ name: 'ffi' });
// What a program of CommonJS takes, and most others: it costs more than all of Deno's start.
process.getBuiltinModule('node:module').createRequire(`${process.cwd()}/main.js`);

const ready = new TextEncoder().encode('{"ready":true}\n');
libc.write(CONTROL, ready, ready.byteLength);
const line = controlLine(buffer => Number(libc.read(CONTROL, buffer, buffer.byteLength)));
const { args, environment, whole } = JSON.parse(line ?? Deno.exit(0)) as Release;
libc.close(CONTROL);
if (whole) libc.dup2(FILE, 0);
libc.close(FILE);
Deno.args.push(...args);
process.argv.push(...args);
for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
await prepareProgram();
