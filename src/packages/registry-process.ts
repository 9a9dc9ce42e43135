import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, constants, openSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { guarded } from '../wire/guarded.ts';
import type { Progress } from './registry/gateway.ts';
import {
  CONTROL_FD,
  type RegistryEvent,
  type RegistryRequest,
  type RegistrySetup,
  TREE_FD,
} from './registry/protocol.ts';

const MAIN = fileURLToPath(new URL('./registry/main.ts', import.meta.url));
const CACHE_FD = 5;
/** Its longest line tells what was installed. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;
const KEPT_STDERR = 2000;
/** Of the server's environment, where registries are reached by way of something. */
const PASSED_ON = [
  'PATH',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** The process has ended without an answer. */
export class RegistryLost extends Error {}

type Answer = Exclude<RegistryEvent, { event: 'progress' }>;

/** The registry's process of one install (registry/main.ts), as the server holds it. Disposing of it ends it and waits for that. */
export class RegistryProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answer = Promise.withResolvers<Answer>();
  readonly #closed: Promise<unknown>;
  #line = '';
  #stderr = '';

  constructor(
    setup: Omit<RegistrySetup, 'cache'>,
    {
      directory,
      cache,
      onProgress,
    }: { directory: string; cache: string; onProgress: (progress: Progress) => void },
  ) {
    if (setup.uid !== null) chownSync(directory, setup.uid, setup.uid);
    // It can't be reached by its path, which leads through directories that are closed to others.
    const cacheFd = openSync(cache, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const words = ['--permission', '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings', MAIN];
      this.#child = spawn(process.execPath, words, {
        cwd: directory,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', cacheFd],
        env: environment(),
        // A signal for the server's whole process group must not reach it: it ends with its install.
        detached: true,
      });
    } finally {
      closeSync(cacheFd);
    }
    this.#answer.promise.catch(() => {});
    const lost = (why: string) => this.#answer.reject(new RegistryLost(`the registry's process: ${why}`));
    this.#closed = new Promise(resolve => this.#child.once('close', resolve));
    void this.#closed.then(() => lost(this.#stderr.trim() || 'it has ended'));
    this.#child.once('error', error => lost(error.message));
    for (const stream of this.#child.stdio) stream?.on('error', () => {});
    const onText = (text: string) => this.#onText(text, onProgress);
    const control = this.#stream(CONTROL_FD).setEncoding('utf8');
    control.on(
      'data',
      guarded(onText, error => lost(error.message)),
    );
    const onStderr = (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    };
    this.#child.stderr?.setEncoding('utf8').on(
      'data',
      guarded(onStderr, error => lost(error.message)),
    );
    this.#send({ ...setup, cache: `/proc/self/fd/${CACHE_FD}` });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Frames of the relay's, in and out. */
  get relay() {
    return { input: this.#child.stdin!, output: this.#child.stdout! };
  }

  /** The installed tree goes here. */
  get tree(): Duplex {
    return this.#stream(TREE_FD);
  }

  /** Its one answer. @throws {RegistryLost} */
  get answer(): Promise<Answer> {
    return this.#answer.promise;
  }

  ask(request: RegistryRequest): void {
    this.#send(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await Promise.race([this.#closed, once(this.#child, 'error').catch(() => {})]);
  }

  #send(line: object): void {
    this.#stream(CONTROL_FD).write(`${JSON.stringify(line)}\n`);
  }

  #stream(fd: number): Duplex {
    return this.#child.stdio[fd] as Duplex;
  }

  #onText(text: string, onProgress: (progress: Progress) => void): void {
    this.#line += text;
    if (this.#line.length > MAX_LINE_LENGTH) throw new Error('a line that is too long');
    const lines = this.#line.split('\n');
    this.#line = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as RegistryEvent;
      if (event.event === 'progress') onProgress(event.progress);
      else this.#answer.resolve(event);
    }
  }
}

function environment(): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap(name =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return { ...Object.fromEntries(passed), NODE_USE_ENV_PROXY: '1' };
}
