import { F_GETFL, F_SETFL, libc, O_NONBLOCK } from './bun-api.ts';

const encoder = new TextEncoder();
const encode = encoder.encode.bind(encoder);
const { getOwnPropertySymbols, defineProperty } = Object;
let input: unknown;
let renewing = false;

/** A fresh descriptor 0 and process.stdin: nothing an earlier cell left unread is seen by this one. */
export function openInput(path: string): void {
  const fed = path !== '/dev/null';
  if (fed && !renewing) renewStdin();
  libc.close(0);
  const fd = openPath(path);
  if (fd > 0) {
    libc.dup2(fd, 0);
    libc.close(fd);
  }
  if (fed) libc.unlink(encode(`${path}\0`));
  input = undefined;
}

/** A pipe whose writer is gone already is at its end; a plain open would wait for another writer for ever. */
function openPath(path: string): number {
  const fd = libc.open(encode(`${path}\0`), O_NONBLOCK);
  if (fd < 0) return libc.open(encode('/dev/null\0'), 0);
  libc.fcntl(fd, F_SETFL, libc.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  return fd;
}

/**
 * Bun makes process.stdin once and for all; from now on it is one for each cell, made when asked for. Replacing it
 * takes 20 ms, so the first cell that is given input does it: until then there was nothing to read.
 */
function renewStdin(): void {
  renewing = true;
  defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get: () => (input ??= readable()),
  });
}

function readable(): unknown {
  const { createReadStream } = require('node:fs') as typeof import('node:fs');
  return createReadStream('', { fd: 0, autoClose: false });
}

/**
 * Null when everything written to stdout and stderr has left the process, else a promise of that. console.log writes
 * before it returns; process.stdout does not, and made its descriptor non-blocking when first used, which tells
 * whether there is anything to wait for.
 */
export function flushed(): Promise<unknown> | null {
  const waits: unknown[] = [];
  if (nonBlocking(1)) waits.push(flush(process.stdout));
  if (nonBlocking(2)) waits.push(flush(process.stderr));
  return waits.length > 0 ? Promise.allSettled(waits) : null;
}

function nonBlocking(fd: number): boolean {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags >= 0 && (flags & O_NONBLOCK) !== 0;
}

/** The stream's own callback comes as soon as Bun has taken the data; the sink behind it knows when it is out. */
function flush(stream: object): unknown {
  const key = getOwnPropertySymbols(stream).find(symbol => symbol.description === 'kWriteStreamFastPath');
  const sink = key && (stream as Record<symbol, { flush?: () => unknown } | undefined>)[key];
  return sink?.flush?.();
}
