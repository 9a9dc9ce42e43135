import type { Release } from '../../kernels/protocol.ts';
import type { Meter, Process, ProcessEvent, Sandbox, SpawnSpec } from '../../sandbox.ts';
import { LineReader } from '../../wire/line-reader.ts';
import type { PrewarmedInterpreter } from './pool-key.ts';

/** Time limit for an interpreter to become ready, milliseconds; after it the sandbox is closed. */
const START_MS = 20_000;
const MAX_LINE_BYTES = 64 * 1024;
/** Longer arguments may be over the kernel's limits (execve(2)), which only a real start can tell. */
const MAX_WORD = 4096;
const MAX_WORDS = 128;
/** Variables that interpreters or libraries read at their start: if one is set, a new interpreter is started. */
const READ_AT_START =
  /^(?:LD_|GLIBC_|MALLOC_|LANG$|LANGUAGE$|LC_|TZ$|PYTHON|NODE_|BUN_|DENO_|V8_|UV_|SSL_|OPENSSL|NO_COLOR$|FORCE_COLOR$)/;

/**
 * An interpreter started in advance: a kernel that has run one trivial cell, or an interpreter that waits
 * just before its program (src/kernels/prewarm). Handed to a caller that spawns exactly its command, without
 * a visible difference.
 */
export class Prewarmed {
  readonly #process: Process;
  readonly #events: AsyncIterator<ProcessEvent>;
  readonly #interpreter: PrewarmedInterpreter;
  /** Its environment, without the variables that make it wait. */
  readonly #env: Readonly<Record<string, string>>;
  readonly #cwd: string;
  /** What it says after it has come to wait, asked for at once: only so its end is seen. */
  #next: Promise<IteratorResult<ProcessEvent>> | undefined;
  /** A program beside it may end it while it waits. */
  #ended = false;

  private constructor(
    process: Process,
    interpreter: PrewarmedInterpreter,
    env: Readonly<Record<string, string>>,
    cwd: string,
  ) {
    this.#process = process;
    this.#events = process.events[Symbol.asyncIterator]();
    this.#interpreter = interpreter;
    this.#env = env;
    this.#cwd = cwd;
  }

  /** Starts an interpreter and resolves when it waits; to null when it does not get there. @throws {SandboxLost} */
  static async start(
    sandbox: Sandbox,
    interpreter: PrewarmedInterpreter,
    env: Readonly<Record<string, string>>,
    cwd: string,
  ): Promise<Prewarmed | null> {
    const timer = setTimeout(() => void sandbox.close(), START_MS);
    try {
      const process = await sandbox.spawn({
        argv: interpreter.argv,
        cwd,
        env: { ...env, ...interpreter.environment },
        stdin: interpreter.kind === 'program' ? 'either' : 'none',
        control: true,
        live: interpreter.kind === 'kernel',
        preforks: interpreter.preforks,
      });
      const prewarmed = new Prewarmed(process, interpreter, env, cwd);
      if (!(await prewarmed.#waits())) return null;
      prewarmed.#watch();
      return prewarmed;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether it can stand in for this spawn. */
  fits(spec: SpawnSpec): boolean {
    const { kind, runs } = this.#interpreter;
    const sameLength = kind === 'program' || spec.argv.length === runs.length;
    const changes = Object.keys(this.#changes(spec));
    const keeps = this.#interpreter.kind === 'program' && this.#interpreter.keepsEnvironment;
    return (
      !this.#ended &&
      sameLength &&
      spec.pty === undefined &&
      isShort(spec.argv) &&
      isShort(Object.values(spec.env)) &&
      runs.every((word, i) => spec.argv[i] === word) &&
      spec.cwd === this.#cwd &&
      (spec.control ?? false) === (kind === 'kernel') &&
      Object.keys(this.#env).every(name => name in spec.env) &&
      changes.every(name => !keeps && !READ_AT_START.test(name))
    );
  }

  /** Hands it over as the requested process. */
  take(spec: SpawnSpec): Process {
    const environment = this.#changes(spec);
    const isKernel = this.#interpreter.kind === 'kernel';
    const whole = typeof spec.stdin !== 'string';
    if (!isKernel) {
      const args = spec.argv.slice(this.#interpreter.runs.length);
      const release: Release = { args, environment, whole, live: spec.live };
      if (whole) void this.#process.fillInput(spec.stdin as Uint8Array).then(() => this.#send(release));
      else this.#send(release);
      if (spec.stdin === 'none') this.#process.endInput();
    } else if (Object.keys(environment).length > 0) this.#send({ environment });
    const held = [...(isKernel ? [READY] : []), this.#next!];
    return new TakenProcess(this.#process, this.#events, held);
  }

  kill(): void {
    this.#process.kill();
  }

  #watch(): void {
    this.#next = this.#events.next();
    const look = ({ value, done }: IteratorResult<ProcessEvent>) => {
      this.#ended = done || value.type === 'exit';
    };
    this.#next.then(look, () => {
      this.#ended = true;
    });
  }

  #changes({ env }: SpawnSpec): Record<string, string> {
    return Object.fromEntries(Object.entries(env).filter(([name, value]) => this.#env[name] !== value));
  }

  #send(message: object): void {
    this.#process.sendControl(Buffer.from(`${JSON.stringify(message)}\n`));
  }

  /** Waits until it is ready and, for a kernel, has run its trivial cell. */
  async #waits(): Promise<boolean> {
    const lines = new LineReader(MAX_LINE_BYTES);
    while (true) {
      const { value: event, done } = await this.#events.next();
      if (done || event.type === 'exit') return false;
      if (event.type !== 'control') continue;
      for (const line of lines.push(event.data)) {
        const message = JSON.parse(line) as { ready?: boolean; done?: boolean };
        if (message.done) return true;
        if (!message.ready) continue;
        if (this.#interpreter.kind === 'program') return true;
        this.#send({ cell: 0, code: this.#interpreter.warmUp, stdin: '/dev/null', typescript: false });
      }
    }
  }
}

function isShort(words: readonly string[]): boolean {
  return words.length < MAX_WORDS && words.every(word => word.length < MAX_WORD);
}

const READY: IteratorResult<ProcessEvent> = {
  value: { type: 'control', data: Buffer.from('{"ready":true}\n') },
  done: false,
};

type Held = readonly (IteratorResult<ProcessEvent> | Promise<IteratorResult<ProcessEvent>>)[];

/** The process as handed over: its events continue after the waiting phase. */
class TakenProcess implements Process {
  readonly events: AsyncIterable<ProcessEvent>;
  readonly #process: Process;

  constructor(process: Process, events: AsyncIterator<ProcessEvent>, held: Held) {
    this.#process = process;
    this.events = { [Symbol.asyncIterator]: () => goingOn(events, held) };
  }

  get pid(): number {
    return this.#process.pid;
  }

  get meter(): Meter | null {
    return this.#process.meter;
  }

  write(data: Uint8Array): Promise<void> {
    return this.#process.write(data);
  }

  endInput(): void {
    this.#process.endInput();
  }

  fillInput(data: Uint8Array): Promise<void> {
    return this.#process.fillInput(data);
  }

  sendControl(data: Uint8Array): Promise<void> | undefined {
    return this.#process.sendControl(data);
  }

  openInput(whole?: Uint8Array): Promise<string> {
    return this.#process.openInput(whole);
  }

  resize(size: Parameters<Process['resize']>[0]): void {
    this.#process.resize(size);
  }

  drained(): Promise<void> | undefined {
    return this.#process.drained();
  }

  signal(name: Parameters<Process['signal']>[0]): void {
    this.#process.signal(name);
  }

  kill(options?: Parameters<Process['kill']>[0]): void {
    this.#process.kill(options);
  }
}

/** Those that are held, and then the others. */
function goingOn(events: AsyncIterator<ProcessEvent>, held: Held): AsyncIterator<ProcessEvent> {
  const first = [...held];
  return { next: () => (first.length > 0 ? Promise.resolve(first.shift()!) : events.next()) };
}
