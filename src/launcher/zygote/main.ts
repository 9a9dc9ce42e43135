import { readFileSync } from 'node:fs';
import { serve } from '../../agent/serve.ts';
import { devNull } from '../../agent/spawn.ts';
import type { ForkReply, ForkRequest } from '../../kernels/protocol.ts';
import { BASE } from '../layout.ts';
import type { Order } from '../order.ts';
import { becomeInterpreter, seenByInterpreter } from './interpreter.ts';
import { c, check, forkHere, forkIntoNamespace, shareMemoryWithChildren, socketPair } from './libc.ts';
import type { InterpreterOrder, ZygoteReply, ZygoteRequest } from './protocol.ts';
import { wallIn } from './walls.ts';

/**
 * The zygote: one process beside the launcher, with the agent's code loaded and ready. For every sandbox it forks itself,
 * and the child walls itself in and becomes the agent, which is there in a third of the time that bubblewrap, Bun and the
 * agent take to start. Nothing that one sandbox must not know about another may ever be in this process: its children
 * inherit its memory and share the layout of its addresses.
 *
 * It has one thread, waits in poll(2) only, and never returns to Bun's own loop. This file runs under Bun and is bundled
 * with src/agent; the launcher's side is client.ts.
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

/** One that waits outside of every sandbox for being forked into one; a child too. */
interface Interpreter {
  readonly control: number;
  unread: string;
  /** Sandboxes that it was asked to fork itself into and has not answered for. */
  readonly asked: string[];
}

const children = new Map<string, Child>();
const interpreters = new Map<string, Interpreter>();
const filter = new Uint8Array(readFileSync(BASE.filter));
const buffer = new Uint8Array(READ_BYTES);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

function tell(reply: ZygoteReply): void {
  const line = encoder.encode(`${JSON.stringify(reply)}\n`);
  for (let at = 0; at < line.byteLength; )
    at += check('write', c.write(OUTPUT, line.subarray(at), line.byteLength - at));
}

/** Forks; the child runs `live`, has its last words on standard error, and never comes back here. */
function start(id: string, fork: () => number, live: () => never): void {
  const ends = new Int32Array(2);
  check('pipe2', c.pipe2(ends, O_CLOEXEC));
  const [words = -1, errors = -1] = ends;
  try {
    const pid = fork();
    if (pid === 0) end(errors, live);
    children.set(id, { pid, words, said: new Uint8Array(0) });
  } catch (error) {
    c.close(words);
    tell({ event: 'ended', id, words: String(error) });
  } finally {
    c.close(errors);
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
    wallIn(order, filter, devNull);
    return serve({ root: '/workspace', silence: Number.POSITIVE_INFINITY });
  });
}

function startInterpreter(id: string, order: InterpreterOrder): void {
  const [control, theirs] = socketPair();
  start(id, forkHere, () => becomeInterpreter(order, theirs));
  c.close(theirs);
  if (children.has(id)) interpreters.set(id, { control, unread: '', asked: [] });
  else c.close(control);
}

/** Has an interpreter fork itself into a sandbox. It does one after the other. */
function forkFrom({ id, from, procs, uid, ends }: Extract<ZygoteRequest, { op: 'fork' }>): void {
  const interpreter = interpreters.get(from);
  const agent = children.get(id);
  if (!interpreter || !agent) return tell({ event: 'forked', id, pid: null });
  const { stdin, stdout, stderr, control, users } = ends;
  const fork = {
    procs: procs.map(seenByInterpreter),
    agent: agent.pid,
    ends: [stdin, stdout, stderr, control],
    users,
    uid,
  } satisfies ForkRequest['fork'];
  const line = encoder.encode(`${JSON.stringify({ fork })}\n`);
  interpreter.asked.push(id);
  c.write(interpreter.control, line, line.byteLength);
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
    if (message.forked === undefined) continue;
    const asked = interpreter.asked.shift();
    if (asked !== undefined) tell({ event: 'forked', id: asked, pid: message.forked });
  }
}

/** A child says something, or ends. */
function hear(id: string, child: Child): void {
  const length = Number(c.read(child.words, buffer, READ_BYTES));
  if (length > 0) {
    const kept = KEPT_WORDS_BYTES - child.said.byteLength;
    child.said = Buffer.concat([child.said, buffer.subarray(0, Math.min(length, kept))]);
    return;
  }
  c.close(child.words);
  c.waitpid(child.pid, null, 0);
  children.delete(id);
  tell({ event: 'ended', id, words: decoder.decode(child.said).trim() });
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
      return startSandbox(request.id, request);
    case 'interpreter':
      return startInterpreter(request.id, request);
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
  for (const [id, child] of children) all.push([child.words, () => hear(id, child)]);
  for (const [id, interpreter] of interpreters)
    all.push([interpreter.control, () => attend(id, interpreter)]);
  // Last: what has ended is told of before anything new is asked of it.
  all.push([INPUT, listen]);
  const set = new Int32Array(all.flatMap(([fd]) => [fd, POLLIN]));
  c.poll(set, all.length, -1);
  for (const [i, [, heard]] of all.entries()) if (set[2 * i + 1]! >>> 16 !== 0) heard();
}

shareMemoryWithChildren();
tell({ event: 'ready' });
while (true) turn();
