import { readFileSync } from 'node:fs';
import { serve } from '../../agent/serve.ts';
import { devNull } from '../../agent/spawn.ts';
import { BASE } from '../layout.ts';
import type { Order } from '../order.ts';
import { c, check, forkIntoNamespace, shareMemoryWithChildren } from './libc.ts';
import type { ZygoteReply, ZygoteRequest } from './protocol.ts';
import { wallIn } from './walls.ts';

/**
 * The zygote: one process beside the launcher, with the agent's code loaded and ready. For every sandbox it forks itself,
 * and the child walls itself in and becomes the agent: that takes a tenth of the time in which bubblewrap, Bun and the agent would
 * start. Nothing that one sandbox must not know about another is ever in this process: its children inherit its memory,
 * and they share the layout of its addresses.
 *
 * It has one thread, waits in poll(2) only, and never returns to Bun's own loop. This file runs under Bun and is bundled with
 * src/agent; the launcher's side is client.ts.
 */

const READ_BYTES = 64 * 1024;
const KEPT_WORDS_BYTES = 800;
const O_CLOEXEC = 0o2000000;
const POLLIN = 1;
const SIGKILL = 9;
const [INPUT, OUTPUT, ERRORS] = [0, 1, 2];

interface Child {
  readonly pid: number;
  /** Where its standard error comes out; it is at its end when the child has ended. */
  readonly words: number;
  said: Uint8Array;
}

const children = new Map<string, Child>();
const filter = new Uint8Array(readFileSync(BASE.filter));
const buffer = new Uint8Array(READ_BYTES);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

function tell(reply: ZygoteReply): void {
  const line = encoder.encode(`${JSON.stringify(reply)}\n`);
  for (let at = 0; at < line.byteLength; )
    at += check('write', c.write(OUTPUT, line.subarray(at), line.byteLength - at));
}

function start({ id, ...order }: Extract<ZygoteRequest, { op: 'start' }>): void {
  const ends = new Int32Array(2);
  check('pipe2', c.pipe2(ends, O_CLOEXEC));
  const [words = -1, errors = -1] = ends;
  try {
    const pid = forkIntoNamespace();
    if (pid === 0) become(order, errors);
    children.set(id, { pid, words, said: new Uint8Array(0) });
  } catch (error) {
    c.close(words);
    tell({ event: 'ended', id, words: String(error) });
  } finally {
    c.close(errors);
  }
}

/** In the child: what follows is the life of a sandbox. */
function become(order: Order, errors: number): never {
  try {
    check('dup2', c.dup2(errors, ERRORS));
    wallIn(order, filter, devNull);
  } catch (error) {
    const text = encoder.encode(error instanceof Error ? error.message : String(error));
    c.write(ERRORS, text, text.byteLength);
    while (true) c._exit(1);
  }
  return serve({ root: '/workspace', silence: Number.POSITIVE_INFINITY });
}

/** False once the child has ended. */
function hear(id: string, child: Child): boolean {
  const length = Number(c.read(child.words, buffer, READ_BYTES));
  if (length > 0) {
    const kept = KEPT_WORDS_BYTES - child.said.byteLength;
    child.said = Buffer.concat([child.said, buffer.subarray(0, Math.min(length, kept))]);
    return true;
  }
  c.close(child.words);
  c.waitpid(child.pid, null, 0);
  children.delete(id);
  tell({ event: 'ended', id, words: decoder.decode(child.said).trim() });
  return false;
}

let unread = '';

/** False when the launcher is gone. */
function listen(): boolean {
  const length = Number(c.read(INPUT, buffer, READ_BYTES));
  if (length <= 0) return false;
  const lines = (unread + decoder.decode(buffer.subarray(0, length), { stream: true })).split('\n');
  unread = lines.pop() ?? '';
  for (const line of lines) {
    const request = JSON.parse(line) as ZygoteRequest;
    if (request.op === 'start') start(request);
    else {
      const child = children.get(request.id);
      if (child) c.kill(child.pid, SIGKILL);
    }
  }
  return true;
}

/** What has something to say, of standard input and the children; struct pollfd is int fd, short events, short revents. */
function wait(): { orders: boolean; from: [string, Child][] } {
  const all = [...children];
  const set = new Int32Array(2 * (all.length + 1));
  set.set([INPUT, POLLIN]);
  for (const [i, [, { words }]] of all.entries()) set.set([words, POLLIN], 2 * (i + 1));
  c.poll(set, all.length + 1, -1);
  const speaks = (i: number) => set[2 * i + 1]! >>> 16 !== 0;
  return { orders: speaks(0), from: all.filter((_, i) => speaks(i + 1)) };
}

shareMemoryWithChildren();
tell({ event: 'ready' });
while (true) {
  const { orders, from } = wait();
  for (const [id, child] of from) hear(id, child);
  if (orders && !listen()) break;
}
c._exit(0);
