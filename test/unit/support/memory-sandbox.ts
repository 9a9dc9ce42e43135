import { randomUUID } from 'node:crypto';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import type {
  Measurement,
  Process,
  ProcessEvent,
  Sandbox,
  SandboxLimits,
  SandboxLost,
  SignalName,
  SpawnSpec,
} from '../../../src/sandbox.ts';
import { MemoryFiles } from './memory-files.ts';

/** How a scripted program ends; what it wrote comes first. */
export interface Ended {
  readonly code?: number | null;
  readonly signal?: SignalName | null;
}

/** What a program may do while it runs. */
export interface Scripted {
  readonly spec: SpawnSpec;
  readonly sandbox: MemorySandbox;
  print(text: string, stream?: 'stdout' | 'stderr'): void;
  /** Says something on descriptor 3. */
  control(message: object): void;
  /** Standard input up to its end. */
  input(): Promise<string>;
  /** What the service said on descriptor 3, line by line. */
  requests(): AsyncIterable<Record<string, unknown>>;
  /** Aborted when it is killed. */
  readonly killed: AbortSignal;
}

/** A program: resolves to its end. It is ended at once when it is killed, whatever the script still does. */
export type Script = (spec: SpawnSpec, program: Scripted) => Ended | Promise<Ended>;

const UNUSED: Measurement = {
  cpuMs: 0,
  peakMemoryBytes: 1_000_000,
  peakProcesses: 1,
  oomKills: 0,
  forksRefused: 0,
};

/** A sandbox that is an object. Faults are set on it: what it measures, that its disk is full, that it is lost. */
export class MemorySandbox implements Sandbox {
  readonly id = randomUUID();
  readonly environment = {};
  readonly preforks = false;
  readonly files = new MemoryFiles();
  readonly spec: SandboxSpec;
  readonly lost: Promise<SandboxLost>;
  readonly processes: MemoryProcess[] = [];
  measurement: Measurement = UNUSED;
  full = false;
  limits: SandboxLimits;
  closed = false;
  /** What `limitMemory` and `resize` answer. */
  obeys = true;
  /** Thrown by the next spawn. */
  refusal: Error | undefined;
  readonly #script: Script;
  readonly #lost = Promise.withResolvers<SandboxLost>();

  constructor(spec: SandboxSpec, script: Script) {
    this.spec = spec;
    this.limits = spec.limits;
    this.#script = script;
    this.lost = this.#lost.promise;
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    if (this.refusal) throw this.refusal;
    const process = new MemoryProcess(spec, this, this.#script);
    this.processes.push(process);
    return process;
  }

  async measure(): Promise<Measurement> {
    return this.measurement;
  }

  resetPeaks(): void {}

  async limitMemory(bytes: number): Promise<boolean> {
    if (this.obeys) this.limits = { ...this.limits, memoryBytes: bytes };
    return this.obeys;
  }

  async resize(limits: SandboxLimits): Promise<boolean> {
    if (this.obeys) this.limits = limits;
    return this.obeys;
  }

  diskFull(): boolean {
    return this.full;
  }

  /** The sandbox goes away under its user. */
  lose(reason: SandboxLost): void {
    for (const process of this.processes) process.fail(reason);
    this.#lost.resolve(reason);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const process of this.processes) process.kill();
  }
}

/** A program of a {@link MemorySandbox}. */
export class MemoryProcess implements Process {
  readonly spec: SpawnSpec;
  readonly events: AsyncIterable<ProcessEvent>;
  readonly signals: SignalName[] = [];
  readonly kills: { keepRoot?: boolean }[] = [];
  #input = '';
  readonly #inputEnded = Promise.withResolvers<string>();
  readonly #killed = new AbortController();
  readonly #queue: (ProcessEvent | Error)[] = [];
  #ended = false;
  #wake = () => {};
  readonly #lines: Record<string, unknown>[] = [];
  #wakeRequests = () => {};

  constructor(spec: SpawnSpec, sandbox: MemorySandbox, script: Script) {
    this.spec = spec;
    this.events = { [Symbol.asyncIterator]: () => this.#iterate() };
    if (spec.stdin === 'none') this.endInput();
    const push = (event: ProcessEvent) => this.#push(event);
    void (async () => {
      // A program says nothing before whoever started it listens.
      await null;
      const end = await script(spec, {
        spec,
        sandbox,
        print: (text, stream = 'stdout') => push({ type: 'output', stream, data: Buffer.from(text) }),
        control: message => push({ type: 'control', data: Buffer.from(`${JSON.stringify(message)}\n`) }),
        input: () => this.#inputEnded.promise,
        requests: () => this.#requests(),
        killed: this.#killed.signal,
      });
      this.#exit(end.code ?? (end.signal ? null : 0), end.signal ?? null);
    })().catch((error: unknown) => this.fail(error as Error));
  }

  async write(data: Uint8Array): Promise<void> {
    this.#input += Buffer.from(data).toString();
  }

  endInput(): void {
    this.#inputEnded.resolve(this.#input);
  }

  sendControl(data: Uint8Array): void {
    for (const line of Buffer.from(data).toString().split('\n').filter(Boolean))
      this.#lines.push(JSON.parse(line));
    this.#wakeRequests();
  }

  async openInput(): Promise<string> {
    return '/run/input';
  }

  signal(name: SignalName): void {
    this.signals.push(name);
  }

  kill(options: { keepRoot?: boolean } = {}): void {
    this.kills.push(options);
    if (options.keepRoot) return;
    this.#killed.abort();
    this.#exit(null, 'SIGKILL');
  }

  /** Its events end with an error. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue.push(error);
    this.#wake();
  }

  #exit(code: number | null, signal: SignalName | null): void {
    if (this.#ended) return;
    this.#push({ type: 'exit', code, signal });
    this.#ended = true;
  }

  #push(event: ProcessEvent): void {
    if (this.#ended) return;
    this.#queue.push(event);
    this.#wake();
  }

  async *#iterate(): AsyncGenerator<ProcessEvent> {
    for (;;) {
      const event = this.#queue.shift();
      if (event instanceof Error) throw event;
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
