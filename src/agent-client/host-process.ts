import { constants } from 'node:os';
import {
  FileRefused,
  type Meter,
  type Process,
  type ProcessEvent,
  type ProcessExit,
  ProgramNotFound,
  type SandboxLost,
  type SignalName,
  type SpawnSpec,
  type TerminalSize,
} from '../sandbox.ts';
import { decodeNumber } from '../wire/frames.ts';
import {
  DATA_FRAME_BYTES,
  decodeExit,
  decodeFailed,
  decodePrepared,
  type ExitMessage,
  encodeSpawn,
  encodeTerminalSize,
  type FailedMessage,
  FromAgent,
  INPUT_WINDOW_BYTES,
  MAX_SPAWN_BYTES,
  OUTPUT_FRAME_COST,
  OUTPUT_WINDOW_BYTES,
  type PreparedMessage,
  ToAgent,
} from '../wire/messages.ts';
import { fileRefused } from './file-refused.ts';
import type { ChannelListener, Link } from './link.ts';

/** Consumed output is granted back in steps of this many bytes. */
const CREDIT_STEP_BYTES = 32 * 1024;
/** Standard input of a kernel that has ended. */
const NO_INPUT = '/dev/null';
/** Control-D, which ends what a terminal's program reads (termios(3), VEOF); more may be typed after it. */
const END_OF_FILE = Uint8Array.of(4);

/** Control of so many bytes is sent as it is, without a copy. */
const LARGE_BYTES = 4096;

type WireStdin = Extract<SpawnSpec['stdin'], string>;

/** The first name of a number is the usual one, e.g. SIGABRT before SIGIOT. */
const SIGNAL_NAMES = new Map<number, SignalName>();
for (const [name, number] of Object.entries(constants.signals)) {
  if (!SIGNAL_NAMES.has(number)) SIGNAL_NAMES.set(number, name as SignalName);
}

/**
 * Forks a program from an interpreter outside the sandbox and makes it a child of the agent, with these
 * descriptors of the agent's. Resolves to its pid inside the sandbox, or null where that can't be done. Never
 * rejects.
 */
export type Fork = (ends: PreparedMessage) => Promise<number | null>;

/** What takes part in the start of a program. None of them rejects or throws. */
export interface StartHooks {
  readonly fork?: Fork | undefined;
  /** Gets the pid inside the sandbox of a program that is not forked, which begins once this has resolved. */
  readonly place?: ((pid: number) => Promise<void>) | undefined;
  /** Called once, when the program has ended, was not started or is lost. */
  readonly ended?: (() => void) | undefined;
}

/** A program in the sandbox, over its channel. */
export class HostProcess implements Process, ChannelListener {
  readonly started: Promise<void>;
  /** 0 before it has started. */
  pid = 0;
  meter: Meter | null = null;
  readonly events: AsyncIterable<ProcessEvent>;
  readonly #link: Link;
  #hooks: StartHooks;
  readonly #channel: number;
  readonly #isTerminal: boolean;
  readonly #started = Promise.withResolvers<void>();
  /** With what is granted again for each once it was consumed. */
  readonly #queue: { event: ProcessEvent; cost: number }[] = [];
  /** Waits for what it says next. */
  #reader: PromiseWithResolvers<IteratorResult<ProcessEvent>> | undefined;
  /** What is granted again for what was read last. */
  #read = 0;
  /** All that it says has been read. */
  #isRead = false;
  #failure: SandboxLost | undefined;
  #exited = false;
  /** Bytes of output and control received and not granted back yet, with the cost of each frame. */
  #outstanding = 0;
  #consumed = 0;
  /** Bytes of input that the agent may still be sent. */
  #room = INPUT_WINDOW_BYTES;
  #roomWake: (() => void) | undefined;
  #inputTail: Promise<void> = Promise.resolve();
  /** Number of standard inputs opened. Data waiting when a new one is opened belongs to the old one. */
  #inputs = 0;
  #inputOpened: PromiseWithResolvers<string> | undefined;

  /** With `fork` the program is forked where possible. */
  constructor(link: Link, spec: SpawnSpec, hooks: StartHooks = {}) {
    this.#link = link;
    this.#hooks = hooks;
    const { fork, place } = hooks;
    this.started = this.#started.promise;
    this.events = { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };
    const { argv, cwd, env, stdin, control = false, live = control, traces = false, pty } = spec;
    this.#isTerminal = pty !== undefined;
    const whole = typeof stdin === 'string' ? null : stdin;
    const onWire = whole ? 'file' : (stdin as WireStdin);
    const held = place !== undefined;
    const message = encodeSpawn({ argv, cwd, env, stdin: onWire, control, live, held, traces, pty });
    if (message.byteLength > MAX_SPAWN_BYTES) throw new FileRefused('Arguments and environment are too long');
    this.#channel = link.open(this);
    const start = () => link.send(fork ? ToAgent.prepare : ToAgent.spawn, this.#channel, message);
    if (whole) void this.#send(ToAgent.spawnInput, whole).then(start);
    else start();
  }

  write(data: Uint8Array): Promise<void> {
    const input = this.#inputs;
    this.#inputTail = this.#inputTail.then(() => this.#feed(data, input));
    return this.#inputTail;
  }

  endInput(): void {
    if (this.#isTerminal) return void this.write(END_OF_FILE);
    const input = this.#inputs;
    this.#inputTail = this.#inputTail.then(() => {
      if (input === this.#inputs) this.#link.send(ToAgent.endInput, this.#channel);
    });
  }

  fillInput(data: Uint8Array): Promise<void> {
    return this.#send(ToAgent.wholeInput, data);
  }

  sendControl(data: Uint8Array): Promise<void> | undefined {
    if (data.byteLength < LARGE_BYTES) {
      this.#link.send(ToAgent.control, this.#channel, data);
      return this.#link.drained();
    }
    let sent: Promise<void> | undefined;
    for (let at = 0; at < data.byteLength; at += DATA_FRAME_BYTES)
      sent = this.#link.sendAsIs(ToAgent.control, this.#channel, data.subarray(at, at + DATA_FRAME_BYTES));
    return sent;
  }

  async openInput(whole?: Uint8Array): Promise<string> {
    if (!whole) return this.#openInput();
    try {
      return await this.#openInput(whole);
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      const path = await this.#openInput();
      this.write(whole).catch(() => {});
      this.endInput();
      return path;
    }
  }

  async #openInput(whole?: Uint8Array): Promise<string> {
    if (this.#failure) throw this.#failure;
    if (this.#exited) return NO_INPUT;
    this.#inputs++;
    this.#roomWake?.();
    const opened = Promise.withResolvers<string>();
    this.#inputOpened = opened;
    this.#link.send(ToAgent.openInput, this.#channel, Uint8Array.of(whole ? 1 : 0));
    if (whole) await this.#send(ToAgent.wholeInput, whole);
    return opened.promise;
  }

  /** Sends all of a standard input, and its end. */
  async #send(kind: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.byteLength && !this.#failure; at += DATA_FRAME_BYTES) {
      await this.#link.drained();
      this.#link.send(kind, this.#channel, data.subarray(at, at + DATA_FRAME_BYTES));
    }
    this.#link.send(kind, this.#channel);
  }

  resize(size: TerminalSize): void {
    this.#link.send(ToAgent.resizeTerminal, this.#channel, encodeTerminalSize(size));
  }

  drained(): Promise<void> | undefined {
    return this.#link.drained();
  }

  signal(name: SignalName): void {
    const signal = constants.signals[name as keyof typeof constants.signals];
    if (signal === undefined) throw new RangeError(`no such signal: ${name}`);
    this.#link.sendNumber(ToAgent.signal, this.#channel, signal);
  }

  kill({ keepRoot = false, flush = false } = {}): void {
    this.#link.send(ToAgent.kill, this.#channel, Uint8Array.of((keepRoot ? 1 : 0) | (flush ? 2 : 0)));
  }

  onMessage(kind: number, payload: Uint8Array, rest: number): void {
    switch (kind) {
      case FromAgent.spawned:
        this.#hooks = { ended: this.#hooks.ended };
        this.pid = decodeNumber(payload);
        return this.#started.resolve();
      case FromAgent.prepared:
        return this.#prepared(decodePrepared(payload));
      case FromAgent.held:
        return this.#held(decodeNumber(payload));
      case FromAgent.failed:
        return this.#failed(decodeFailed(payload));
      case FromAgent.stdout:
        return this.#take({ type: 'output', stream: 'stdout', data: new Uint8Array(payload) });
      case FromAgent.stderr:
        return this.#take({ type: 'output', stream: 'stderr', data: new Uint8Array(payload) });
      case FromAgent.control:
        return this.#take({ type: 'control', data: new Uint8Array(payload) }, rest);
      case FromAgent.exit:
        return this.#exit(decodeExit(payload));
      case FromAgent.inputTaken:
        return this.#taken(decodeNumber(payload));
      case FromAgent.inputOpened:
        return this.#opened(Buffer.from(payload).toString('utf8'));
      default:
        throw new Error(`kind ${kind} on a process`);
    }
  }

  onLost(reason: SandboxLost): void {
    this.#over();
    this.#failure = reason;
    this.#started.promise.catch(() => {});
    this.#started.reject(reason);
    this.#inputOpened?.promise.catch(() => {});
    this.#inputOpened?.reject(reason);
    this.#roomWake?.();
    this.#serve();
  }

  /** Valid once, before the start, and only after a request to prepare. */
  #prepared(ends: PreparedMessage): void {
    const { fork, ...hooks } = this.#hooks;
    if (!fork || !areEnds(ends)) throw new Error('nothing was to be prepared, or not like this');
    this.#hooks = hooks;
    void fork(ends).then(pid => this.#link.sendNumber(ToAgent.adopt, this.#channel, pid ?? 0));
  }

  /** Valid once, before the start, and only of what was to be held. */
  #held(pid: number): void {
    const { place, ended } = this.#hooks;
    if (!place) throw new Error('nothing was to be held');
    this.#hooks = { ended };
    void place(pid).then(() => this.#link.send(ToAgent.begin, this.#channel));
  }

  #over(): void {
    this.#hooks.ended?.();
    this.#hooks = {};
  }

  #opened(path: string): void {
    if (path) this.#inputOpened?.resolve(path);
    else this.#inputOpened?.reject(new FileRefused('There is no room in /tmp for standard input'));
  }

  #failed({ reason, message }: FailedMessage): void {
    this.#over();
    this.#link.close(this.#channel);
    const text = message.slice(0, 8192);
    this.#started.reject(
      reason === 'not_found' ? new ProgramNotFound(text) : fileRefused({ reason, message }),
    );
  }

  /** A frame, or a piece of one that has so many bytes to come. Its data is a copy, so that a few bytes don't keep a large buffer alive. */
  #take(event: Exclude<ProcessEvent, ProcessExit>, rest = 0): void {
    const cost = event.data.byteLength + (rest === 0 ? OUTPUT_FRAME_COST : 0);
    this.#outstanding += cost;
    if (this.#outstanding > OUTPUT_WINDOW_BYTES) throw new Error('more output than was granted');
    this.#push(event, cost);
  }

  #exit({ code, signal }: ExitMessage): void {
    if (this.#exited) throw new Error('a second exit');
    this.#exited = true;
    this.#over();
    this.#link.close(this.#channel);
    this.#roomWake?.();
    // No answer will come; a waiting caller goes on and sees the exit.
    this.#inputOpened?.resolve(NO_INPUT);
    const name = signal === null ? null : (SIGNAL_NAMES.get(signal) ?? 'SIGKILL');
    this.#push({ type: 'exit', code: code === null ? null : code & 0xff, signal: name });
  }

  #push(event: ProcessEvent, cost = 0): void {
    this.#queue.push({ event, cost });
    this.#serve();
  }

  /** What it says next; whoever asks has consumed what came before. */
  #next(): Promise<IteratorResult<ProcessEvent>> {
    if (this.#read > 0) this.#grant(this.#read);
    this.#read = 0;
    const reader = Promise.withResolvers<IteratorResult<ProcessEvent>>();
    this.#reader = reader;
    this.#serve();
    return reader.promise;
  }

  /** Gives the reader what there is for it. */
  #serve(): void {
    const reader = this.#reader;
    if (!reader) return;
    const held = this.#isRead ? undefined : this.#queue.shift();
    if (!held && !this.#isRead && !this.#failure) return;
    this.#reader = undefined;
    if (held) {
      this.#read = held.cost;
      this.#isRead = held.event.type === 'exit';
      return reader.resolve({ value: held.event, done: false });
    }
    if (this.#isRead) return reader.resolve({ value: undefined, done: true });
    this.#isRead = true;
    reader.reject(this.#failure);
  }

  /** Grants as many bytes of output as were consumed. */
  #grant(bytes: number): void {
    this.#consumed += bytes;
    if (this.#exited || this.#consumed < CREDIT_STEP_BYTES) return;
    this.#link.sendNumber(ToAgent.credit, this.#channel, this.#consumed);
    this.#outstanding -= this.#consumed;
    this.#consumed = 0;
  }

  #taken(bytes: number): void {
    this.#room += bytes;
    if (this.#room > INPUT_WINDOW_BYTES) throw new Error('more input taken than was sent');
    this.#roomWake?.();
  }

  async #feed(data: Uint8Array, input: number): Promise<void> {
    const wanted = () => input === this.#inputs && !this.#exited && !this.#failure;
    for (let at = 0; at < data.byteLength && wanted(); ) {
      if (this.#room <= 0) {
        await new Promise<void>(resolve => (this.#roomWake = resolve));
        continue;
      }
      const part = data.subarray(at, at + Math.min(this.#room, DATA_FRAME_BYTES));
      this.#link.send(ToAgent.input, this.#channel, part);
      this.#room -= part.byteLength;
      at += part.byteLength;
    }
  }
}

const MAX_DESCRIPTOR = 1 << 20;

/** Whether descriptor numbers are plausible: processes outside the sandbox will take them from the agent. */
function areEnds(ends: PreparedMessage): boolean {
  return Object.values(ends).every(fd => fd >= -1 && fd < MAX_DESCRIPTOR);
}
