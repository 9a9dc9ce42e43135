import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import type { CellError, CellRequest, MimeBundle } from '../../src/kernels/protocol.ts';

/** A workspace of its own; the kernel that is given it removes it. */
export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'kernel-'));
}

/** What one cell did. */
export interface CellEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly results: MimeBundle[];
  readonly error: CellError | null;
}

/** A real kernel as a plain child process: the protocol on descriptor 3, output from its pipes. */
export class KernelProcess {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly #lines: AsyncIterator<string>;
  #cells = 0;
  #stdout = '';
  #stderr = '';

  private constructor(argv: readonly string[], directory: string) {
    const [program, ...args] = argv;
    const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: directory };
    this.directory = directory;
    this.child = spawn(program!, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.control.on('error', () => {});
    this.#lines = createInterface({ input: this.control })[Symbol.asyncIterator]();
  }

  static async start(argv: readonly string[], directory = newDirectory()): Promise<KernelProcess> {
    const kernel = new KernelProcess(argv, directory);
    const first = await kernel.#next();
    if (first.ready !== true) throw new Error(`not ready: ${JSON.stringify(first)}`);
    return kernel;
  }

  get control(): Socket {
    return this.child.stdio[3] as Socket;
  }

  /** Runs a cell to its end. Rejects when the kernel ends first. */
  async run(
    code: string,
    { stdin, ...more }: { stdin?: string; typescript?: boolean; structured?: boolean } = {},
  ): Promise<CellEnd> {
    const input = stdin === undefined ? null : new NamedPipe(this.directory, stdin);
    this.begin(code, { stdin: input?.path ?? '/dev/null', ...more });
    return await this.end();
  }

  begin(code: string, more: Partial<CellRequest> = {}): void {
    this.#stdout = '';
    this.#stderr = '';
    const request: CellRequest = {
      cell: ++this.#cells,
      code,
      stdin: '/dev/null',
      typescript: false,
      ...more,
    };
    this.control.write(`${JSON.stringify(request)}\n`);
  }

  async end(): Promise<CellEnd> {
    const results: MimeBundle[] = [];
    for (;;) {
      const message = await this.#next();
      if (message.cell !== this.#cells) throw new Error(`a message of cell ${message.cell}`);
      if (message.result) results.push(message.result);
      if (!message.done) continue;
      await this.#drained();
      return { stdout: this.#stdout, stderr: this.#stderr, results, error: message.error };
    }
  }

  /** What it printed, after making sure that it did not fail. */
  async prints(code: string, more: { stdin?: string; typescript?: boolean } = {}): Promise<string> {
    const { stdout, error } = await this.run(code, more);
    if (error) throw new Error(error.traceback);
    return stdout;
  }

  /** The text of its value. */
  async value(code: string, more: { typescript?: boolean } = {}): Promise<unknown> {
    const { results, error } = await this.run(code, more);
    if (error) throw new Error(error.traceback);
    return results.at(-1)?.['text/plain'];
  }

  async fails(code: string, more: { typescript?: boolean } = {}): Promise<CellError> {
    const { error } = await this.run(code, more);
    if (!error) throw new Error('the cell did not fail');
    return error;
  }

  /** Resolves with how the process ended. */
  async ended(): Promise<number | string | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode ?? child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Until nothing more comes of what lay in the pipes when `done` came; each second turn of the loop looks at them. */
  async #drained(): Promise<void> {
    const length = () => this.#stdout.length + this.#stderr.length;
    let before: number;
    do {
      before = length();
      for (let i = 0; i < 4; i++) await setImmediate();
    } while (length() > before);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a kernel says is what is tested
  async #next(): Promise<any> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the kernel ended');
    return JSON.parse(value);
  }
}

/** As the agent makes it: opened for both ends, and closed when the kernel has it open, which shows in its name gone. */
class NamedPipe {
  readonly path: string;
  readonly #fd: number;
  readonly #watch: NodeJS.Timeout;

  constructor(directory: string, text: string) {
    this.path = join(directory, `.input-${Math.random().toString(36).slice(2)}`);
    execFileSync('mkfifo', [this.path]);
    this.#fd = openSync(this.path, 'r+');
    writeSync(this.#fd, text);
    this.#watch = setInterval(() => existsSync(this.path) || this.#close(), 5);
  }

  #close(): void {
    clearInterval(this.#watch);
    closeSync(this.#fd);
  }
}
