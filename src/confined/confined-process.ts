import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { bundled } from '../bundle/bundled.ts';
import { guarded } from '../wire/guarded.ts';
import { CONTROL_FD, type ConfinedSetup } from './protocol.ts';

const KEPT_STDERR = 2000;
/** Certificates as other programs of this machine have them, read when TLS is first spoken. */
const TRUSTS_MACHINE = '--use-system-ca';
/** Of the server's environment, beside what a process asks for. */
const PASSED_ON = ['PATH', 'NODE_EXTRA_CA_CERTS'] as const;

export interface ConfinedParts<Event> {
  /** The module that it runs, which begins with {@link openControl} (control.ts). */
  readonly main: string;
  /** The first line that it hears. */
  readonly setup: ConfinedSetup;
  readonly cwd: string;
  /** It writes files, where its user may. */
  readonly writes?: boolean;
  /** Its standard input and output are streams of ours. */
  readonly piped?: boolean;
  /** Descriptors of its after that of the control. */
  readonly more?: readonly ('pipe' | number)[];
  /** More names of the server's environment to pass on, and what it gets besides. */
  readonly passed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of one line, characters. */
  readonly maxLineLength: number;
  /** What it throws is a breach of the process's, which ends. */
  readonly onEvent: (event: Event) => void;
  /** Once: it ended, could not be started, or broke the protocol, by which it is ended. */
  readonly onLost: (why: string) => void;
}

/**
 * A process of the server's own code that reads what strangers write: Node's permissions keep it from starting programs, and as root it
 * becomes a user of its own before it hears anything of anybody. Disposing of it ends it and waits for that.
 */
export class ConfinedProcess<Event> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #parts: ConfinedParts<Event>;
  #line = '';
  #stderr = '';
  #lost = false;

  constructor(parts: ConfinedParts<Event>) {
    this.#parts = parts;
    const { main, setup, cwd, writes = false, piped = false, more = [], passed = [], env = {} } = parts;
    const rights = ['--permission', '--allow-fs-read=*', ...(writes ? ['--allow-fs-write=*'] : [])];
    const std = piped ? 'pipe' : 'ignore';
    const known = [...PASSED_ON, ...passed].flatMap(name => {
      const value = process.env[name];
      return value ? [[name, value] as const] : [];
    });
    const child = spawn(process.execPath, [...rights, TRUSTS_MACHINE, '--no-warnings', bundled(main)], {
      cwd,
      stdio: [std, std, 'pipe', 'pipe', ...more],
      env: { ...Object.fromEntries(known), ...env },
      // A signal for the server's whole process group must not reach it: it ends with what it is for.
      detached: true,
    });
    this.#child = child;
    this.#ended = new Promise(resolve => {
      child.once('close', () => resolve());
      child.once('error', () => child.pid === undefined && resolve());
    });
    child.once('error', error => this.#lose(error.message));
    child.once('close', () => this.#lose(this.#stderr.trim() || 'it has ended'));
    for (const stream of child.stdio) stream?.on('error', () => {});
    const broken = (error: Error) => {
      child.kill('SIGKILL');
      this.#lose(`it broke its protocol: ${error.message}`);
    };
    const onText = (text: string) => this.#onText(text);
    this.stream(CONTROL_FD).setEncoding('utf8').on('data', guarded(onText, broken));
    const onStderr = (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    };
    child.stderr?.setEncoding('utf8').on('data', guarded(onStderr, broken));
    this.send(setup);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** One of its descriptors, as far as they are streams of ours. */
  stream(fd: number): Duplex {
    return this.#child.stdio[fd] as Duplex;
  }

  send(line: object): void {
    this.stream(CONTROL_FD).write(`${JSON.stringify(line)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #lose(why: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#parts.onLost(why);
  }

  #onText(text: string): void {
    this.#line += text;
    if (this.#line.length > this.#parts.maxLineLength) throw new Error('a line that is too long');
    const lines = this.#line.split('\n');
    this.#line = lines.pop()!;
    for (const line of lines) this.#parts.onEvent(JSON.parse(line) as Event);
  }
}
