/**
 * Holds Deno just before its program: preloaded before all else, it waits for a line on descriptor 3, and Deno then runs the program
 * as it runs every program. See ../protocol.ts. Deno lets nobody touch its descriptors, so libc does it, for which it is started with
 * a right that it gives up before it waits; only programs that nobody set permissions for are held so.
 */
import { prepareProgram } from '../javascript/v8/deno-program.ts';
import type { Release } from '../protocol.ts';

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
const NEWLINE = 10;
const READ_BYTES = 64 * 1024;

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
const { args, environment, whole } = JSON.parse(line()) as Release;
libc.close(CONTROL);
if (whole) libc.dup2(FILE, 0);
libc.close(FILE);
Deno.args.push(...args);
process.argv.push(...args);
for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
await prepareProgram();

function line(): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let text = '';
  while (true) {
    const length = Number(libc.read(CONTROL, buffer, READ_BYTES));
    // The service is gone.
    if (length <= 0) Deno.exit(0);
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    if (buffer[length - 1] === NEWLINE) return text;
  }
}
