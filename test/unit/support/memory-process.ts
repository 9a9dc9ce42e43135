import type {
  Meter,
  Process,
  ProcessEvent,
  SignalName,
  SpawnSpec,
  TerminalSize,
} from '../../../src/sandbox.ts';
import type { MemorySandbox } from './memory-sandbox.ts';

/** How a scripted program ends; what it wrote comes first. */
export interface Ended {
  readonly code?: number | null;
  readonly signal?: SignalName | null;
}

/** What a program may do while it runs. */
export interface Scripted {
  readonly spec: SpawnSpec;
  readonly sandbox: MemorySandbox;
  /** Resolves when there is room for more: a reader that does not pull makes it wait. */
  print(text: string | Uint8Array, stream?: 'stdout' | 'stderr'): Promise<void>;
  /** Says something on descriptor 3. */
  control(message: object): void;
  /** Says bytes there. */
  controlRaw(text: string): void;
  /** Standard input up to its end; a kernel's, that of the cell which runs. */
  input(): Promise<string>;
  /** Standard input as it comes. */
  typed(): AsyncIterable<Buffer>;
  /** What the service said on descriptor 3, line by line. */
  requests(): AsyncIterable<Record<string, unknown>>;
  /** Handles a signal, which else ends it. */
  on(signal: SignalName, handler: () => void): void;
  /** Aborted when it is killed. */
  readonly killed: AbortSignal;
}

/** A program: resolves to its end. It is ended at once when it is killed, whatever the script still does. */
export type Script = (spec: SpawnSpec, program: Scripted) => Ended | Promise<Ended>;

/** What may be held for a reader before the program waits; see src/sandbox.ts. */
const HELD_BYTES = 256 * 1024;

/** A program of a {@link MemorySandbox}. */
export class MemoryProcess implements Process {
  readonly spec: SpawnSpec;
  readonly pid: number;
  readonly meter: Meter | null = null;
  readonly events: AsyncIterable<ProcessEvent>;
  readonly signals: SignalName[] = [];
  readonly kills: { keepRoot?: boolean }[] = [];
  /** Sizes that its terminal was given. */
  readonly sizes: TerminalSize[] = [];
  /** Every line it was told on descriptor 3. */
  readonly told: Record<string, unknown>[] = [];
  readonly #sandbox: MemorySandbox;
  readonly #killed = new AbortController();
  readonly #handlers = new Map<SignalName, () => void>();
  readonly #queue: (ProcessEvent | Error)[] = [];
  readonly #lines: Record<string, unknown>[] = [];
  #input = new Input();
  #inputs = 0;
  #held = 0;
  #ended = false;
  #wake = () => {};
  #room = () => {};
  #wakeRequests = () => {};

  constructor(spec: SpawnSpec, sandbox: MemorySandbox, script: Script) {
    this.spec = spec;
    // The agent is process 1.
    this.pid = sandbox.processes.length + 2;
    this.#sandbox = sandbox;
    this.events = { [Symbol.asyncIterator]: () => this.#iterate() };
    if (typeof spec.stdin !== 'string') this.#input.add(spec.stdin);
    if (spec.stdin === 'none' || typeof spec.stdin !== 'string') this.endInput();
    void this.#run(script).catch((error: unknown) => this.fail(error as Error));
  }

  async #run(script: Script): Promise<void> {
    // A program says nothing before whoever started it listens.
    await null;
    const controlRaw = (text: string) => this.#push({ type: 'control', data: Buffer.from(text) });
    const { code, signal = null } = await script(this.spec, {
      spec: this.spec,
      sandbox: this.#sandbox,
      print: (text, stream = 'stdout') => this.#print({ type: 'output', stream, data: Buffer.from(text) }),
      control: message => controlRaw(`${JSON.stringify(message)}\n`),
      controlRaw,
      input: () => this.#input.text(),
      typed: () => this.#input.pieces(this.#killed.signal),
      requests: () => this.#requests(),
      on: (name, handler) => this.#handlers.set(name, handler),
      killed: this.#killed.signal,
    });
    this.#exit(code ?? (signal ? null : 0), signal);
  }

  async write(data: Uint8Array): Promise<void> {
    this.#input.add(data);
  }

  endInput(): void {
    this.#input.end();
  }

  sendControl(data: Uint8Array): undefined {
    for (const line of Buffer.from(data).toString().split('\n').filter(Boolean)) {
      this.told.push(JSON.parse(line));
      this.#lines.push(JSON.parse(line));
    }
    this.#wakeRequests();
  }

  async fillInput(data: Uint8Array): Promise<void> {
    this.#input.add(data);
    this.#input.end();
  }

  async openInput(whole?: Uint8Array): Promise<string> {
    if (this.#sandbox.files.refusal) throw this.#sandbox.files.refusal;
    this.#input = new Input();
    if (whole) await this.fillInput(whole);
    return `/run/input-${++this.#inputs}`;
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  /** What a sandbox that takes nothing waits for. */
  room: Promise<void> | undefined;

  drained(): Promise<void> | undefined {
    return this.room;
  }

  signal(name: SignalName): void {
    this.signals.push(name);
    const handler = this.#handlers.get(name);
    if (handler) handler();
    else if (!this.#sandbox.stubborn) this.#exit(null, name);
  }

  kill(options: { keepRoot?: boolean } = {}): void {
    this.kills.push(options);
    if (!options.keepRoot && !this.#sandbox.stubborn) this.#exit(null, 'SIGKILL');
  }

  /** Its events end with an error. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#queue.push(error);
    this.#end();
  }

  /** Whether nobody has ended it, and it has not ended itself. */
  get runs(): boolean {
    return !this.#ended;
  }

  #exit(code: number | null, signal: SignalName | null): void {
    this.#push({ type: 'exit', code, signal });
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#killed.abort();
    this.#wake();
    this.#room();
  }

  #push(event: ProcessEvent): void {
    if (this.#ended) return;
    this.#queue.push(event);
    this.#wake();
  }

  async #print(event: Extract<ProcessEvent, { type: 'output' }>): Promise<void> {
    this.#held += event.data.byteLength;
    this.#push(event);
    while (this.#held > HELD_BYTES && !this.#ended) {
      await new Promise<void>(resolve => (this.#room = resolve));
    }
  }

  async *#iterate(): AsyncGenerator<ProcessEvent> {
    for (;;) {
      const event = this.#queue.shift();
      if (event instanceof Error) throw event;
      if (event?.type === 'output') {
        this.#held -= event.data.byteLength;
        this.#room();
      }
      if (event) yield event;
      if (event?.type === 'exit') return;
      if (!event) await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  async *#requests(): AsyncGenerator<Record<string, unknown>> {
    while (!this.#killed.signal.aborted) {
      const line = this.#lines.shift();
      if (line) yield line;
      else
        await new Promise<void>(resolve => {
          this.#wakeRequests = resolve;
          this.#killed.signal.addEventListener('abort', () => resolve(), { once: true });
        });
    }
  }
}

/** One standard input. */
class Input {
  readonly #all: Buffer[] = [];
  readonly #pieces: Buffer[] = [];
  readonly #end = Promise.withResolvers<void>();
  #over = false;
  #wake = () => {};

  add(data: Uint8Array): void {
    const piece = Buffer.from(data);
    this.#all.push(piece);
    this.#pieces.push(piece);
    this.#wake();
  }

  end(): void {
    this.#over = true;
    this.#end.resolve();
    this.#wake();
  }

  /** What came up to its end: text only for who asks, since most programs read none. */
  async text(): Promise<string> {
    await this.#end.promise;
    return Buffer.concat(this.#all).toString();
  }

  async *pieces(killed: AbortSignal): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) yield piece;
      else if (this.#over || killed.aborted) return;
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve;
          killed.addEventListener('abort', () => resolve(), { once: true });
        });
    }
  }
}
