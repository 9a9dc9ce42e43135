import { readdirSync, readFileSync } from 'node:fs';
import { serve } from '../../agent/serve.ts';
import { devNull } from '../../agent/spawn.ts';
import type { ForkReply, ForkRequest } from '../../kernels/protocol.ts';
import { BASE } from '../layout.ts';
import type { Order } from '../order.ts';
import type { View } from '../view.ts';
import { becomeInterpreter, seenByInterpreter } from './interpreter.ts';
import {
  c,
  check,
  type Forked,
  forkHere,
  forkIntoNamespace,
  neverWait,
  shareMemoryWithChildren,
  socketPair,
} from './libc.ts';
import type { InterpreterOrder, ZygoteReply, ZygoteRequest } from './protocol.ts';
import { wallIn } from './walls.ts';

/**
 * The zygote: one process beside the launcher, with the agent's code loaded and ready. For every sandbox it forks itself,
 * and the child walls itself in and becomes the agent, which is there in a third of the time that bubblewrap, Bun and the
 * agent take to start. Nothing that one sandbox must not know about another may ever be in this process: its children
 * inherit its memory and share the layout of its addresses.
 *
 * It has one thread, waits for its children in poll(2) only, and never returns to Bun's own loop. This file runs under Bun
 * and is bundled with src/agent; the launcher's side is client.ts.
 */

const READ_BYTES = 64 * 1024;
const KEPT_WORDS_BYTES = 800;
const O_CLOEXEC = 0o2000000;
const POLLIN = 1;
const SIGKILL = 9;
const [INPUT, OUTPUT, ERRORS] = [0, 1, 2];

interface Child extends Forked {
  /** Where its standard error comes out. */
  readonly words: number;
}

/** One that waits outside of every sandbox for being forked into one; a child too. */
interface Interpreter {
  readonly control: number;
  unread: string;
  /** Sandboxes that it was asked to fork itself into and has not answered for. */
  readonly asked: Set<string>;
}

const children = new Map<string, Child>();
const interpreters = new Map<string, Interpreter>();
const filter = new Uint8Array(readFileSync(BASE.filter));
const view = JSON.parse(readFileSync(BASE.view, 'utf8')) as View;
const buffer = new Uint8Array(READ_BYTES);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

function tell(reply: ZygoteReply): void {
  const line = encoder.encode(`${JSON.stringify(reply)}\n`);
  for (let at = 0; at < line.byteLength; )
    at += check('write', c.write(OUTPUT, line.subarray(at), line.byteLength - at));
}

/** Forks; the child runs `live`, has its last words on standard error, and never comes back here. */
function start(id: string, fork: () => Forked | null, live: () => never): void {
  const ends = new Int32Array(2);
  check('pipe2', c.pipe2(ends, O_CLOEXEC));
  const [words = -1, errors = -1] = ends;
  try {
    neverWait(words);
    const child = fork() ?? end(errors, live);
    children.set(id, { ...child, words });
  } catch (error) {
    c.close(words);
    throw error;
  } finally {
    c.close(errors);
  }
}

/** For want of descriptors or processes, say; what runs goes on. */
function attempt(id: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    tell({ event: 'ended', id, words: error instanceof Error ? error.message : String(error) });
  }
}

/** The whole of a child: whatever is thrown in it is its end, with the rights that it has by then. */
function end(errors: number, live: () => never): never {
  try {
    check('dup2', c.dup2(errors, ERRORS));
    live();
  } catch (error) {
    const text = encoder.encode(error instanceof Error ? error.message : String(error));
    c.write(ERRORS, text, text.byteLength);
  }
  while (true) c._exit(1);
}

function startSandbox(id: string, order: Order): void {
  start(id, forkIntoNamespace, () => {
    wallIn(order, { filter, view, kept: devNull });
    return serve({ root: '/workspace', silence: Number.POSITIVE_INFINITY });
  });
}

function startInterpreter(id: string, order: InterpreterOrder): void {
  const [control, theirs] = socketPair();
  try {
    neverWait(control);
    start(id, forkHere, () => becomeInterpreter(order, view, theirs));
    interpreters.set(id, { control, unread: '', asked: new Set() });
  } catch (error) {
    c.close(control);
    throw error;
  } finally {
    c.close(theirs);
  }
}

/** Has an interpreter fork itself into a sandbox. */
function forkFrom({ id, from, procs, uid, ends }: Extract<ZygoteRequest, { op: 'fork' }>): void {
  const interpreter = interpreters.get(from);
  const agent = children.get(id);
  if (!interpreter || !agent) return tell({ event: 'forked', id, pid: null });
  const { stdin, stdout, stderr, control, users } = ends;
  const fork = {
    sandbox: id,
    procs: procs.map(seenByInterpreter),
    agent: agent.pid,
    ends: [stdin, stdout, stderr, control],
    users,
    uid,
  } satisfies ForkRequest['fork'];
  const line = encoder.encode(`${JSON.stringify({ fork })}\n`);
  // Taken whole or, by one that hangs, not at all: it is far smaller than the socket's buffer.
  if (Number(c.write(interpreter.control, line, line.byteLength)) !== line.byteLength)
    return tell({ event: 'forked', id, pid: null });
  interpreter.asked.add(id);
}

/** An interpreter answers, or hangs up. */
function attend(id: string, interpreter: Interpreter): void {
  const length = Number(c.read(interpreter.control, buffer, READ_BYTES));
  if (length <= 0) {
    c.close(interpreter.control);
    interpreters.delete(id);
    for (const asked of interpreter.asked) tell({ event: 'forked', id: asked, pid: null });
    return;
  }
  const lines = (interpreter.unread + decoder.decode(buffer.subarray(0, length))).split('\n');
  interpreter.unread = lines.pop() ?? '';
  for (const line of lines) {
    const message = JSON.parse(line) as { ready?: boolean } & Partial<ForkReply>;
    if (message.ready) tell({ event: 'waits', id });
    const { forked, pid = null } = message;
    if (forked !== undefined && interpreter.asked.delete(forked)) tell({ event: 'forked', id: forked, pid });
  }
}

/** A child has ended: with a sandbox's init, all that was in the sandbox. */
function bury(id: string, { pid, process, words }: Child): void {
  c.waitpid(pid, null, 0);
  c.close(process);
  const length = Math.max(0, Number(c.read(words, buffer, KEPT_WORDS_BYTES)));
  c.close(words);
  children.delete(id);
  tell({ event: 'ended', id, words: decoder.decode(buffer.subarray(0, length)).trim() });
}

let unread = '';

/** The launcher orders something, or is gone: then so is everything. */
function listen(): void {
  const length = Number(c.read(INPUT, buffer, READ_BYTES));
  if (length <= 0) c._exit(0);
  const lines = (unread + decoder.decode(buffer.subarray(0, length), { stream: true })).split('\n');
  unread = lines.pop() ?? '';
  for (const line of lines) obey(JSON.parse(line) as ZygoteRequest);
}

function obey(request: ZygoteRequest): void {
  switch (request.op) {
    case 'start':
      return attempt(request.id, () => startSandbox(request.id, request));
    case 'interpreter':
      return attempt(request.id, () => startInterpreter(request.id, request));
    case 'fork':
      return forkFrom(request);
    case 'kill': {
      const child = children.get(request.id);
      if (child) c.kill(child.pid, SIGKILL);
    }
  }
}

/** Waits until a descriptor has something to say, and has it heard; struct pollfd is int fd, short events, short revents. */
function turn(): void {
  const all: [fd: number, heard: () => void][] = [];
  for (const [id, child] of children) all.push([child.process, () => bury(id, child)]);
  for (const [id, interpreter] of interpreters)
    all.push([interpreter.control, () => attend(id, interpreter)]);
  // Last: what has ended is told of before anything new is asked of it.
  all.push([INPUT, listen]);
  const set = new Int32Array(all.flatMap(([fd]) => [fd, POLLIN]));
  c.poll(set, all.length, -1);
  for (const [i, [, heard]] of all.entries()) if (set[2 * i + 1]! >>> 16 !== 0) heard();
}

if (readdirSync('/proc/self/task').length > 1) throw new Error('a fork would leave threads behind');
shareMemoryWithChildren();
tell({ event: 'ready' });
while (true) turn();
