import {
  type CellError,
  type CellRequest,
  type DebugRequest,
  type InterruptRequest,
  type KernelMessage,
  MAX_KERNEL_LINE_BYTES,
  type MimeBundle,
} from '../../kernels/protocol.ts';
import type { Meter, Process, Sandbox, SignalName, StreamName } from '../../sandbox.ts';
import { weigh } from '../../schemas/json-text.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { LineReader } from '../../wire/line-reader.ts';
import type { RunHandle } from '../supervision/program.ts';
import type { ExitStatus, OutputSink, SupervisedRun } from '../supervision/supervise.ts';
import { boundedError } from './bounded-error.ts';

/** Time limit for a kernel to become ready, milliseconds. */
const START_MS = 20_000;
/** Time that a kernel has to connect to a debugger, and its client to say what it is to stop at, milliseconds. */
const CONNECT_MS = 30_000;
/** Output between two cells after which the kernel is killed, bytes. */
const MAX_STRAY_BYTES = 16 * 1024 * 1024;
/** A kernel's message larger than this in memory can only be a result, bytes: of an error, each character takes 12 where it is escaped as two. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** Time that an interrupted cell has to end before its kernel is killed, milliseconds: on a busy machine one that does end takes one second. */
const INTERRUPT_GRACE_MS = 3000;
/**
 * A cell is told at once that it is interrupted, and sent SIGINT so long after its request at the earliest, milliseconds: while it
 * begins, Node.js has nothing for moments that would handle the signal.
 */
const BEGIN_MS = 250;

/** A cell as an interpreter runs it. */
export interface Cell {
  readonly code: string;
  readonly typescript: boolean;
  /** Undefined: end of file at once, unless `interactive`. */
  readonly stdin: string | undefined;
  readonly interactive: boolean;
  readonly environment?: CellRequest['environment'];
  readonly structured?: CellRequest['structured'];
  readonly installs?: CellRequest['installs'];
  readonly results: ResultSink;
}

/** Receives a cell's results, up to a limit. Sizes are bytes in memory. */
export interface ResultSink {
  /** Whether a result of this size fits. @throws when the total is so large that the kernel must be killed */
  admit(bytes: number): boolean;
  /** Adds an admitted result. `isValue`: of the cell's last expression. */
  add(bundle: MimeBundle, bytes: number, isValue: boolean): void;
}

/** How a kernel is started; see src/languages/language.ts. */
export interface KernelCommand {
  readonly argv: readonly string[];
  readonly interruptible: boolean;
}

/** A running cell, with its error and its input. */
export interface RunningCell extends SupervisedRun {
  /** Its interpreter's. */
  readonly pid: number;
  readonly argv: readonly string[];
  readonly error: () => CellError | null;
  /** True when the kernel ended under the cell. */
  readonly died: () => boolean;
  /** Null for a cell that takes no live input. */
  readonly input: RunHandle['input'];
  readonly drained: RunHandle['drained'];
  readonly signal: RunHandle['signal'];
}

/** A kernel did not start: no memory or processes left, or the session's own files break it. */
export class KernelFailed extends Error {}

interface Current {
  readonly id: number;
  readonly sink: OutputSink;
  readonly results: ResultSink;
  readonly finished: PromiseWithResolvers<ExitStatus>;
  error: CellError | null;
  readonly startedAt: number;
  /** The kernel was told so. */
  interrupted: boolean;
  signalling: NodeJS.Timeout | undefined;
}

/**
 * A kernel process and the cells it runs, one at a time. After it has ended (by itself, by a limit, or for
 * breaking the protocol) it stays dead, and its owner starts another.
 */
export class KernelClient {
  readonly #process: Process;
  readonly #argv: readonly string[];
  readonly #interruptible: boolean;
  readonly #ready = Promise.withResolvers<void>();
  readonly #lines = new LineReader(MAX_KERNEL_LINE_BYTES);
  #current: Current | undefined;
  #cells = 0;
  #exit: ExitStatus | undefined;
  /** Bytes printed since the last cell ended. */
  #stray = 0;
  #debugging: PromiseWithResolvers<boolean> | undefined;
  /** It broke the protocol and is being killed. */
  #condemned = false;

  private constructor(process: Process, command: KernelCommand) {
    this.#process = process;
    this.#argv = command.argv;
    this.#interruptible = command.interruptible;
    this.#ready.promise.catch(() => {});
    this.#pump().catch((error: unknown) => this.#end({ exitCode: null, signal: 'SIGKILL' }, error));
  }

  /** @throws {SandboxLost | ProgramNotFound} or KernelFailed */
  static async start(
    sandbox: Sandbox,
    command: KernelCommand,
    env: Readonly<Record<string, string>>,
    cwd: string,
  ): Promise<KernelClient> {
    const process = await sandbox.spawn({
      argv: command.argv,
      cwd,
      env,
      stdin: 'none',
      control: true,
    });
    const kernel = new KernelClient(process, command);
    const timer = setTimeout(() => {
      kernel.#ready.reject(new KernelFailed('The interpreter did not start in time'));
      process.kill();
    }, START_MS);
    try {
      await kernel.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
    return kernel;
  }

  /** Of its cells, one after the other; null where the sandbox's own is theirs. */
  get meter(): Meter | null {
    return this.#process.meter;
  }

  get dead(): boolean {
    return this.#condemned || this.#exit !== undefined;
  }

  kill(): void {
    this.#process.kill();
  }

  /** Starts a cell. The owner waits for one cell to end before it starts the next. */
  async run(cell: Cell, sink: OutputSink): Promise<RunningCell> {
    const stdin = await this.#input(cell);
    const current: Current = {
      id: ++this.#cells,
      sink,
      results: cell.results,
      finished: Promise.withResolvers(),
      error: null,
      startedAt: performance.now(),
      interrupted: false,
      signalling: undefined,
    };
    this.#current = current;
    this.#stray = 0;
    if (this.#exit) this.#end(this.#exit);
    const { code, typescript, environment, structured, installs } = cell;
    this.#send({
      cell: current.id,
      code,
      stdin,
      typescript,
      ...(environment && { environment }),
      ...(structured && { structured }),
      ...(installs && { installs }),
    });
    return {
      pid: this.#process.pid,
      argv: this.#argv,
      ended: current.finished.promise,
      error: () => current.error,
      died: () => this.dead,
      input: cell.interactive ? this.#process : null,
      drained: () => this.#process.drained(),
      signal: name => this.#signal(current, name),
      stop: () => this.#stop(current),
      sweep: () => this.#process.kill({ keepRoot: true }),
    };
  }

  /** Has it connect to a debugger, between two cells; resolves to whether it has. */
  async debug(request: DebugRequest['debug']): Promise<boolean> {
    const connected = Promise.withResolvers<boolean>();
    this.#debugging = connected;
    if (this.#exit) return false;
    const late = setTimeout(() => connected.resolve(false), CONNECT_MS);
    this.#send({ debug: request });
    try {
      return await connected.promise;
    } finally {
      clearTimeout(late);
    }
  }

  /** Path of what the cell reads. */
  async #input({ stdin, interactive }: Cell): Promise<string> {
    if (stdin) return this.#process.openInput(Buffer.from(stdin, 'utf8'));
    return interactive ? this.#process.openInput() : '/dev/null';
  }

  /** Interrupts a cell and kills its descendants; a kernel that does not stop in time is killed. */
  #stop(current: Current): void {
    if (!this.#interruptible) return this.kill();
    this.#process.kill({ keepRoot: true });
    this.#signal(current, 'SIGINT');
    const timer = setTimeout(() => this.kill(), INTERRUPT_GRACE_MS);
    current.finished.promise.finally(() => clearTimeout(timer)).catch(() => {});
  }

  #signal(current: Current, name: SignalName): void {
    if (name !== 'SIGINT' || !this.#interruptible) return this.#process.signal(name);
    if (!current.interrupted) this.#send({ interrupt: current.id });
    current.interrupted = true;
    const left = current.startedAt + BEGIN_MS - performance.now();
    if (left <= 0) return this.#process.signal(name);
    const send = () => {
      if (current === this.#current) this.#process.signal(name);
    };
    current.signalling ??= setTimeout(send, left);
  }

  #send(request: CellRequest | DebugRequest | InterruptRequest): void {
    this.#process.sendControl(Buffer.from(`${JSON.stringify(request)}\n`, 'utf8'));
  }

  async #pump(): Promise<void> {
    for await (const event of this.#process.events) {
      if (event.type === 'output') {
        const wait = this.#output(event.stream, event.data);
        if (wait) await wait;
      } else if (event.type === 'exit') this.#end({ exitCode: event.code, signal: event.signal });
      else this.#control(event.data);
    }
  }

  /** Output between cells is discarded; over MAX_STRAY_BYTES the kernel is killed. */
  #output(stream: StreamName, data: Uint8Array): Promise<void> | void {
    if (this.#current) return this.#current.sink(stream, data);
    this.#stray += data.byteLength;
    if (this.#stray > MAX_STRAY_BYTES) this.#condemn();
  }

  #control(data: Uint8Array): void {
    if (this.#condemned) return;
    try {
      // The chunk may contain further lines after the one that broke the protocol.
      for (const line of this.#lines.push(data)) if (!this.#condemned) this.#onLine(line);
    } catch {
      this.#condemn();
    }
  }

  #condemn(): void {
    if (!this.#condemned) this.kill();
    this.#condemned = true;
  }

  /** Handles one message. Messages are untrusted: one that breaks the protocol kills the kernel. */
  #onLine(line: string): void {
    const current = this.#current;
    const weight = weigh(line);
    if (weight.depth > LIMITS.jsonDepth) return this.#condemn();
    // An honest one that is this large is a result, and one that does not fit is not even parsed.
    const large = weight.bytes > LARGE_BYTES;
    if (large && current && !current.results.admit(weight.bytes)) return;
    const message = parse(line);
    if (message && 'ready' in message) return this.#ready.resolve();
    if (message && 'debugged' in message && this.#debugging) return this.#debugging.resolve(message.debugged);
    if (!message || 'debugged' in message || message.cell !== current?.id) return this.#condemn();
    if ('result' in message) {
      if (large || current.results.admit(weight.bytes))
        current.results.add(message.result, weight.bytes, message.isValue === true);
      return;
    }
    current.error = message.error;
    this.#current = undefined;
    const { error, exitCode = error ? 1 : 0 } = message;
    current.finished.resolve({ exitCode, signal: null });
  }

  #end(end: ExitStatus, error?: unknown): void {
    this.#exit = end;
    const failure = error ?? new KernelFailed('The interpreter ended before it was ready');
    this.#ready.reject(failure);
    this.#debugging?.resolve(false);
    const current = this.#current;
    this.#current = undefined;
    if (error) current?.finished.reject(error);
    else current?.finished.resolve(end);
  }
}

/** Parses a line whose size and depth have been checked. */
function parse(line: string): KernelMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  const { ready, debugged, cell, result, isValue, done, error, exitCode } = message as Record<
    string,
    unknown
  >;
  if (ready === true) return { ready };
  if (typeof debugged === 'boolean') return { debugged };
  if (typeof cell !== 'number') return null;
  if (typeof result === 'object' && result !== null && !Array.isArray(result))
    return { cell, result: wellTyped(result as MimeBundle), isValue: isValue === true };
  if (done === true && (error === null || isCellError(error)) && isExitCode(exitCode))
    return { cell, done, error: error && boundedError(error), exitCode };
  return null;
}

function isExitCode(value: unknown): value is number | undefined {
  return (
    value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255)
  );
}

/** Clients are promised strings under the names of texts and images, and a value's own methods may give anything. */
function wellTyped(bundle: MimeBundle): MimeBundle {
  const promised = Object.keys(bundle).filter(mime => /^(text|image)\//.test(mime));
  const wrong = promised.filter(mime => typeof bundle[mime] !== 'string');
  if (wrong.length === 0) return bundle;
  return { ...bundle, ...Object.fromEntries(wrong.map(mime => [mime, JSON.stringify(bundle[mime])])) };
}

function isCellError(value: unknown): value is CellError {
  if (typeof value !== 'object' || value === null) return false;
  const { name, message, traceback } = value as Record<string, unknown>;
  return typeof name === 'string' && typeof message === 'string' && typeof traceback === 'string';
}
