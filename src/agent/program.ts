import { decodeJson, decodeNumber } from '../wire/frames.ts';
import {
  DATA_FRAME_BYTES,
  FromAgent,
  OUTPUT_FRAME_COST,
  OUTPUT_WINDOW_BYTES,
  type SignalMessage,
} from '../wire/messages.ts';
import type { Disk } from './disk.ts';
import { AT_FDCWD, available, bootTicks, c, cstring, E, errno, O, pidfd, stat } from './libc.ts';
import type { Outbox } from './outbox.ts';
import type { PollSet } from './poll-set.ts';
import type { Spawned } from './spawn.ts';

/** What was there at one moment and is to be forwarded: output first, then control. */
interface Owed {
  stdout: number;
  stderr: number;
  control: number;
}

const dropped = new Uint8Array(DATA_FRAME_BYTES);

/**
 * A program and its channel. Output and control are read only as far as the service has granted; what was written
 * before a control message or before the exit is forwarded first, counted by FIONREAD, so that a daemon which keeps a
 * pipe open holds nothing up.
 */
export class Program {
  readonly pid: number;
  readonly channel: number;
  readonly #outbox: Outbox;
  readonly #disk: Disk;
  #stdin: number;
  #stdout: number;
  #stderr: number;
  #control: number;
  #pidfd: number;
  #window = OUTPUT_WINDOW_BYTES;
  #input: Uint8Array[] = [];
  #inputEnds = false;
  /** Path of the named pipe a kernel is about to open. */
  #fifo: Uint8Array | null = null;
  #toKernel: Uint8Array[] = [];
  #owed: Owed | null = null;
  #status: number | null = null;
  /** What it left in its pipes when it ended has been counted. */
  #counted = false;
  /** When it began, or a kernel's last cell did; see bootTicks. */
  since: number;
  /** Its exit has been told. */
  over = false;

  constructor(channel: number, spawned: Spawned, since: number, parts: { outbox: Outbox; disk: Disk }) {
    this.channel = channel;
    this.#outbox = parts.outbox;
    this.#disk = parts.disk;
    this.pid = spawned.pid;
    this.since = since;
    this.#stdin = spawned.stdin;
    this.#stdout = spawned.stdout;
    this.#stderr = spawned.stderr;
    this.#control = spawned.control;
    this.#pidfd = pidfd(spawned.pid);
  }

  /** Its process has been reaped, so that its number may be another's by now. */
  get ended(): boolean {
    return this.#status !== null;
  }

  /** Nothing of it is left to poll. */
  get finished(): boolean {
    return this.over && this.#stdout < 0 && this.#stderr < 0;
  }

  /** A kernel waits for its named pipe to be opened, which nothing signals. */
  get impatient(): boolean {
    return this.#fifo !== null && this.#inputEnds;
  }

  input(bytes: Uint8Array): void {
    if (this.#stdin < 0) return this.#taken(bytes.byteLength);
    this.#input.push(bytes.slice());
    this.#feed();
  }

  endInput(): void {
    this.#inputEnds = true;
    this.#feed();
  }

  control(bytes: Uint8Array): void {
    if (this.#control < 0) return;
    this.since = bootTicks();
    this.#toKernel.push(bytes.slice());
    this.#tell();
  }

  credit(payload: Uint8Array): void {
    this.#window = Math.min(this.#window + decodeNumber(payload), OUTPUT_WINDOW_BYTES);
  }

  signal(payload: Uint8Array): void {
    const { signal } = decodeJson(payload) as SignalMessage;
    if (this.#status === null) c.kill(-this.pid, signal);
  }

  /** Makes a named pipe, fed from now on, and says where it is. */
  openInput(): void {
    this.#closeInput();
    const path = `/tmp/.stdin-${crypto.randomUUID()}`;
    const name = cstring(path);
    // A full or shut /tmp is the program's doing and no reason to end: then there is no pipe.
    const made = c.mkfifo(name, 0o600) === 0;
    this.#fifo = made ? name : null;
    // Open for both, so that opening does not wait for the kernel and what is written stays until it comes.
    if (made) this.#stdin = c.openat(AT_FDCWD, name, O.RDWR | O.NONBLOCK | O.CLOEXEC | O.NOFOLLOW, 0);
    if (this.#stdin < 0) this.#closeInput();
    this.#inputEnds = false;
    this.#outbox.send(FromAgent.inputOpened, this.channel, name.subarray(0, this.#stdin < 0 ? 0 : -1));
  }

  /** It has ended, with a status as waitpid gives it. */
  exited(status: number): void {
    this.#status = status;
    this.#closeInput();
  }

  /** Says what to wait for, after doing what can be done at once. */
  poll(set: PollSet): void {
    this.#settle();
    if (this.#pidfd >= 0) set.readable(this.#pidfd, () => this.#closePidfd());
    const mayRead = this.over || this.#room > 0;
    if (this.#stdout >= 0 && mayRead) set.readable(this.#stdout, () => this.#read('stdout'));
    if (this.#stderr >= 0 && mayRead) set.readable(this.#stderr, () => this.#read('stderr'));
    if (this.#stdin >= 0 && this.#input.length > 0) set.writable(this.#stdin, () => this.#feed());
    if (this.#control < 0) return;
    if (mayRead && !this.#owed) set.readable(this.#control, () => this.#hear());
    if (this.#toKernel.length > 0) set.writable(this.#control, () => this.#tell());
  }

  /** Gives up its descriptors. */
  close(): void {
    this.#closeInput();
    this.#closePidfd();
    for (const name of ['stdout', 'stderr'] as const) this.#closeOutput(name);
    this.#closeControl();
  }

  #fd(name: 'stdout' | 'stderr'): number {
    return name === 'stdout' ? this.#stdout : this.#stderr;
  }

  #left(fd: number): number {
    return fd < 0 ? 0 : available(fd);
  }

  /** Control is counted first: what was printed before it is in the pipes by then. */
  #count(): Owed {
    const control = this.#left(this.#control);
    return { stdout: this.#left(this.#stdout), stderr: this.#left(this.#stderr), control };
  }

  /** How large the next frame may be. */
  get #room(): number {
    return this.#outbox.full ? 0 : Math.min(DATA_FRAME_BYTES, this.#window - OUTPUT_FRAME_COST);
  }

  /** Reads one piece of output and forwards it; after the exit it is read and dropped. */
  #read(name: 'stdout' | 'stderr', most = DATA_FRAME_BYTES): number {
    const fd = this.#fd(name);
    const room = this.over ? most : Math.min(most, this.#room);
    if (fd < 0 || room <= 0) return 0;
    const got = this.over ? Number(c.read(fd, dropped, room)) : this.#forward(FromAgent[name], fd, room);
    if (got < 0) return errno() === E.EAGAIN || errno() === E.EINTR ? 0 : this.#closeOutput(name);
    if (got === 0) return this.#closeOutput(name);
    if (this.#owed) this.#owed[name] = Math.max(0, this.#owed[name] - got);
    return got;
  }

  /** Reads straight into the outbox; returns what read(2) does. */
  #forward(kind: number, fd: number, most: number): number {
    const got = this.#outbox.fill(kind, this.channel, most, place =>
      Number(c.read(fd, place, place.byteLength)),
    );
    if (got > 0) this.#window -= got + OUTPUT_FRAME_COST;
    return got;
  }

  #closeOutput(name: 'stdout' | 'stderr'): 0 {
    const fd = this.#fd(name);
    if (fd >= 0) c.close(fd);
    if (name === 'stdout') this.#stdout = -1;
    else this.#stderr = -1;
    if (this.#owed) this.#owed[name] = 0;
    return 0;
  }

  /** The kernel has spoken: first what it had printed by then. */
  #hear(): void {
    if (this.#owed) return;
    const owed = this.#count();
    // Readable without a byte: the kernel has closed its end.
    if (owed.control === 0) return this.#closeControl();
    this.#owed = owed;
    this.#settle();
  }

  /** Forwards what is owed as far as the service has granted, and after the last of it the exit. */
  #settle(): void {
    while (!this.over) {
      if (this.#owed && !this.#pay(this.#owed)) return;
      this.#owed = null;
      if (this.#status === null) return;
      if (this.#counted) this.#tellExit(this.#status);
      else this.#owed = this.#count();
      this.#counted = true;
    }
  }

  /** False while something is left. */
  #pay(owed: Owed): boolean {
    for (const name of ['stdout', 'stderr'] as const) {
      while (owed[name] > 0) {
        if (this.#room <= 0) return false;
        // A program may have read from its own pipe.
        if (this.#read(name, owed[name]) === 0) owed[name] = 0;
      }
    }
    if (owed.control > 0) this.#disk.tell();
    while (owed.control > 0) {
      if (this.#room <= 0) return false;
      const got = this.#forward(FromAgent.control, this.#control, Math.min(owed.control, this.#room));
      owed.control = got > 0 ? owed.control - got : 0;
    }
    return true;
  }

  #tellExit(status: number): void {
    this.#closeControl();
    this.#disk.tell();
    const signal = status & 0x7f;
    this.#outbox.sendJson(FromAgent.exit, this.channel, {
      code: signal ? null : (status >> 8) & 0xff,
      signal: signal || null,
    });
    this.over = true;
    this.#closePidfd();
  }

  /** Writes what standard input takes. */
  #feed(): void {
    while (this.#input.length > 0 && this.#stdin >= 0) {
      const piece = this.#input[0]!;
      const wrote = Number(c.write(this.#stdin, piece, piece.byteLength));
      if (wrote < 0) {
        if (errno() === E.EINTR) continue;
        if (errno() === E.EAGAIN) return;
        this.#closeInput();
        return;
      }
      this.#taken(wrote);
      if (wrote < piece.byteLength) this.#input[0] = piece.subarray(wrote);
      else this.#input.shift();
    }
    if (this.#inputEnds && this.#opened()) this.#closeInput();
  }

  /** Whether a kernel has opened its named pipe; it unlinks it then. */
  #opened(): boolean {
    if (!this.#fifo) return true;
    try {
      stat(AT_FDCWD, this.#fifo);
      return false;
    } catch {
      this.#fifo = null;
      return true;
    }
  }

  /** Looks again whether the end of input can be given. */
  retry(): void {
    if (this.impatient) this.#feed();
  }

  #taken(bytes: number): void {
    if (bytes > 0) this.#outbox.sendNumber(FromAgent.inputTaken, this.channel, bytes);
  }

  /** Ends standard input; what was not taken is dropped. */
  #closeInput(): void {
    if (this.#fifo) c.unlinkat(AT_FDCWD, this.#fifo, 0);
    this.#fifo = null;
    if (this.#stdin >= 0) c.close(this.#stdin);
    this.#stdin = -1;
    this.#taken(this.#input.splice(0).reduce((sum, piece) => sum + piece.byteLength, 0));
  }

  #tell(): void {
    while (this.#toKernel.length > 0 && this.#control >= 0) {
      const piece = this.#toKernel[0]!;
      const wrote = Number(c.write(this.#control, piece, piece.byteLength));
      if (wrote < 0) {
        if (errno() === E.EINTR) continue;
        if (errno() !== E.EAGAIN) this.#toKernel = [];
        return;
      }
      if (wrote < piece.byteLength) this.#toKernel[0] = piece.subarray(wrote);
      else this.#toKernel.shift();
    }
  }

  #closeControl(): void {
    if (this.#control >= 0) c.close(this.#control);
    this.#control = -1;
  }

  #closePidfd(): void {
    if (this.#pidfd >= 0) c.close(this.#pidfd);
    this.#pidfd = -1;
  }
}
