import { decodeJson, type Frame, FrameDecoder } from '../wire/frames.ts';
import {
  type AdoptMessage,
  FromAgent,
  type KillMessage,
  PROTOCOL_VERSION,
  type SpawnMessage,
  ToAgent,
} from '../wire/messages.ts';
import { Disk } from './disk.ts';
import { AgentFiles } from './files.ts';
import {
  AT_FDCWD,
  bootTicks,
  c,
  cpuTime,
  cstring,
  E,
  errno,
  O,
  reapOne,
  SystemError,
  setNonBlocking,
} from './libc.ts';
import { Outbox } from './outbox.ts';
import { PollSet } from './poll-set.ts';
import { Program } from './program.ts';
import { Refusal } from './resolver.ts';
import { SocketWatch } from './sockets.ts';
import { closeEnds, type Ends, NotFound, openEnds, type Spawned, spawn, TooManyProcesses } from './spawn.ts';
import { killTree } from './tree.ts';

/** Starts a program so that the kernel kills it first when memory runs out; see main.ts. */
export type Expendable = <T>(start: () => T) => T;

interface Prepared {
  readonly message: SpawnMessage;
  readonly mine: Ends;
  readonly theirs: Ends;
  readonly users: number;
  readonly since: number;
}

/** The agent's last words when its stream has ended. */
export const SERVICE_GONE = 'the service is gone';
const READ_BYTES = 256 * 1024;
/** Orphans are looked for this often while anything runs, for they end without a word; and sockets, while nothing happens. */
const REAP_MS = 250;
/** The same when the service has been silent for long: a kernel's threads may go on. */
const IDLE_MS = 1000;
/** A kernel opens its named pipe within this; see Program.impatient. */
const FIFO_MS = 1;
/** For this long after the last word it is likely that something runs. */
const PARKED_MS = 5000;
/** Ended programs whose leftovers can still be killed. */
const REMEMBERED = 64;
/** How long a start waits for what is being killed. */
const DYING_MS = 1000;
const NOTHING = new Uint8Array(8);
/** No process has this number. */
const NOBODY = -1;

/**
 * The loop of the agent: takes orders on one descriptor, answers on another, and runs programs in between. It is
 * synchronous: one poll(2) per turn, and never anything else that waits.
 */
export class Agent {
  readonly #in: number;
  readonly #outbox: Outbox;
  readonly #files: AgentFiles;
  readonly #disk: Disk;
  readonly #expendable: Expendable;
  readonly #sockets = new SocketWatch();
  readonly #decoder = new FrameDecoder();
  readonly #set = new PollSet();
  readonly #programs = new Map<number, Program>();
  /** Programs that are being started elsewhere. */
  readonly #prepared = new Map<number, Prepared>();
  /** When those that ended last had begun, by channel. */
  readonly #forgotten = new Map<number, number>();
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #silence: number;
  #spokenAt = performance.now();

  constructor(parts: {
    input: number;
    output: number;
    root: string;
    /** Milliseconds without a word of the service's after which it counts as gone. */
    silence: number;
    expendable: Expendable;
  }) {
    const { input, output, root } = parts;
    this.#expendable = parts.expendable;
    this.#silence = parts.silence;
    this.#in = input;
    setNonBlocking(input);
    setNonBlocking(output);
    this.#outbox = new Outbox(output);
    this.#files = new AgentFiles(this.#outbox, root);
    this.#disk = new Disk(this.#outbox, root);
  }

  /** Serves until the service is gone. @throws {Error} then, or when the service breaks the protocol */
  run(): never {
    this.#outbox.sendJson(FromAgent.ready, 0, { version: PROTOCOL_VERSION });
    while (true) this.#turn();
  }

  #turn(): void {
    if (performance.now() - this.#spokenAt > this.#silence) throw new Error('the service is silent');
    this.#reap();
    if (this.#programs.size > 0 && this.#sockets.exceeds(this.#slowest(), () => this.#cpuTime()))
      this.#giveUp();
    this.#files.advance();
    this.#set.clear();
    this.#set.readable(this.#in, () => this.#listen());
    for (const program of this.#programs.values()) {
      program.retry();
      program.poll(this.#set);
      if (program.finished) this.#forget(program);
    }
    this.#outbox.flush();
    if (this.#outbox.waiting) this.#set.writable(this.#outbox.fd, () => {});
    this.#set.wait(this.#files.answering && !this.#outbox.full ? 0 : this.#patience());
  }

  /** How long a turn may sleep, milliseconds. */
  #patience(): number {
    let running = false;
    for (const program of this.#programs.values()) {
      if (program.impatient) return FIFO_MS;
      running ||= !program.over;
    }
    if (running) return Math.min(this.#slowest(), this.#sockets.pause);
    return this.#silence === Number.POSITIVE_INFINITY ? -1 : this.#silence / 3;
  }

  #slowest(): number {
    return performance.now() - this.#spokenAt < PARKED_MS ? REAP_MS : IDLE_MS;
  }

  /** Of what it has started, milliseconds; not of what that has started, unless it has ended. */
  #cpuTime(): number {
    let sum = 0;
    for (const program of this.#programs.values()) if (!program.ended) sum += cpuTime(program.pid);
    return sum;
  }

  /** The kernel gives back what sockets hold when their network namespace is gone, and not before. */
  #giveUp(): never {
    this.#outbox.send(FromAgent.outOfMemory, 0, new Uint8Array(0));
    this.#outbox.flush();
    throw new Error('its sockets hold more of the kernel’s memory than a sandbox may have');
  }

  #listen(): void {
    const got = Number(c.read(this.#in, this.#buffer, READ_BYTES));
    if (got < 0 && (errno() === E.EAGAIN || errno() === E.EINTR)) return;
    if (got <= 0) throw new Error(SERVICE_GONE);
    this.#spokenAt = performance.now();
    this.#sockets.hasten();
    this.#decoder.push(this.#buffer.subarray(0, got), frame => this.#obey(frame));
  }

  #obey({ kind, channel, payload }: Frame): void {
    if (kind === ToAgent.alive) return;
    if (kind === ToAgent.spawn) return this.#spawn(channel, decodeJson(payload) as SpawnMessage);
    if (kind === ToAgent.prepare) return this.#prepare(channel, decodeJson(payload) as SpawnMessage);
    if (kind === ToAgent.adopt) return this.#adopt(channel, decodeJson(payload) as AdoptMessage);
    if (kind === ToAgent.file) return this.#files.request(channel, payload);
    if (kind === ToAgent.fileData) return this.#files.data(channel, payload);
    if (kind === ToAgent.kill) return this.#kill(channel, decodeJson(payload) as KillMessage);
    const program = this.#programs.get(channel);
    switch (kind) {
      case ToAgent.input:
        return program?.input(payload);
      case ToAgent.endInput:
        return program?.endInput();
      case ToAgent.control:
        return program?.control(payload);
      case ToAgent.signal:
        return program?.signal(payload);
      case ToAgent.credit:
        return program?.credit(payload);
      case ToAgent.openInput:
        return program?.openInput();
      default:
        throw new Error(`an unknown kind: ${kind}`);
    }
  }

  #spawn(channel: number, message: SpawnMessage): void {
    let cwd = -1;
    try {
      cwd = this.#files.openDirectory(message.cwd);
      // Before the start: by the time it is told, the program may have forked already.
      const since = bootTicks();
      this.#watch(
        channel,
        this.#patiently(() => this.#expendable(() => spawn(message, cwd))),
        since,
      );
    } catch (error) {
      this.#failed(channel, error);
    } finally {
      if (cwd >= 0) c.close(cwd);
    }
  }

  #watch(channel: number, spawned: Spawned, since: number): void {
    const parts = { outbox: this.#outbox, disk: this.#disk };
    this.#programs.set(channel, new Program(channel, spawned, since, parts));
    this.#outbox.send(FromAgent.spawned, channel, new Uint8Array(0));
  }

  /** @throws what is not the program's fault */
  #failed(channel: number, error: unknown): void {
    if (!(error instanceof NotFound || error instanceof Refusal || error instanceof SystemError)) throw error;
    const reason = error instanceof NotFound ? 'not_found' : 'refused';
    this.#outbox.sendJson(FromAgent.failed, channel, { reason, message: error.message });
  }

  #prepare(channel: number, message: SpawnMessage): void {
    try {
      const { mine, theirs } = openEnds(message);
      const users = c.openat(AT_FDCWD, cstring('/proc/self/ns/user'), O.RDONLY | O.CLOEXEC, 0);
      this.#prepared.set(channel, { message, mine, theirs, users, since: bootTicks() });
      this.#outbox.sendJson(FromAgent.prepared, channel, { ...theirs, users });
    } catch (error) {
      this.#failed(channel, error);
    }
  }

  #adopt(channel: number, { pid }: AdoptMessage): void {
    const prepared = this.#prepared.get(channel);
    if (!prepared) throw new Error(`nothing is prepared on channel ${channel}`);
    this.#prepared.delete(channel);
    const { message, mine, theirs, users, since } = prepared;
    closeEnds(theirs);
    if (users >= 0) c.close(users);
    // One that is still on its way may be somebody else's; see src/kernels/prewarm/python/forking.py.
    const lives = pid !== null && pid > 0 && (c.kill(pid, 0) === 0 || errno() === E.EPERM);
    if (lives) return this.#watch(channel, { pid, ...mine }, since);
    // Or it has ended already.
    closeEnds(mine);
    this.#spawn(channel, message);
  }

  /** What was killed counts until it is gone, and a sandbox that has used up its share of the CPU dies slowly. */
  #patiently(start: () => Spawned): Spawned {
    const until = performance.now() + DYING_MS;
    while (true) {
      try {
        return start();
      } catch (error) {
        if (!(error instanceof TooManyProcesses) || performance.now() > until) throw error;
        this.#reap();
        c.poll(NOTHING, 0, 1);
      }
    }
  }

  /** A program that has ended may have left others behind; its own number may be another's by now. */
  #kill(channel: number, { keepRoot }: KillMessage): void {
    const program = this.#programs.get(channel);
    const since = program?.since ?? this.#forgotten.get(channel);
    if (since === undefined) return;
    const others = new Set<number>();
    for (const other of this.#programs.values()) if (other !== program && !other.ended) others.add(other.pid);
    const root = program && !program.ended ? program.pid : NOBODY;
    killTree({ root, keepRoot, others, since });
  }

  /** Collects every child that has ended, orphans included. */
  #reap(): void {
    for (let ended = reapOne(); ended; ended = reapOne()) {
      for (const program of this.#programs.values()) {
        if (program.pid === ended.pid && !program.ended) program.exited(ended.status);
      }
    }
  }

  #forget(program: Program): void {
    program.close();
    this.#programs.delete(program.channel);
    this.#forgotten.set(program.channel, program.since);
    if (this.#forgotten.size > REMEMBERED) this.#forgotten.delete(this.#forgotten.keys().next().value!);
  }
}
