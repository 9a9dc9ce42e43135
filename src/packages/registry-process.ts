import { chownSync, closeSync, constants, openSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ConfinedProcess } from '../confined/confined-process.ts';
import type { Progress } from './registry/gateway.ts';
import {
  type RegistryEvent,
  type RegistryRequest,
  type RegistrySetup,
  TREE_FD,
} from './registry/protocol.ts';

const MAIN = fileURLToPath(new URL('./registry/main.ts', import.meta.url));
const CACHE_FD = 5;
/** Its longest line tells what was installed. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;
/** Of the server's environment, where registries are reached by way of something. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** The process has ended without an answer. */
export class RegistryLost extends Error {}

type Answer = Exclude<RegistryEvent, { event: 'progress' }>;

/** The registry's process of one install (registry/main.ts), as the server holds it. Disposing of it ends it and waits for that. */
export class RegistryProcess implements AsyncDisposable {
  readonly #process: ConfinedProcess<RegistryEvent>;
  readonly #answer = Promise.withResolvers<Answer>();

  constructor(
    setup: Omit<RegistrySetup, 'cache'>,
    {
      directory,
      cache,
      onProgress,
    }: { directory: string; cache: string; onProgress: (progress: Progress) => void },
  ) {
    if (setup.uid !== null) chownSync(directory, setup.uid, setup.uid);
    this.#answer.promise.catch(() => {});
    // It can't be reached by its path, which leads through directories that are closed to others.
    const cacheFd = openSync(cache, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const whole: RegistrySetup = { ...setup, cache: `/proc/self/fd/${CACHE_FD}` };
      this.#process = new ConfinedProcess<RegistryEvent>({
        main: MAIN,
        setup: whole,
        cwd: directory,
        writes: true,
        piped: true,
        more: ['pipe', cacheFd],
        passed: PROXIES,
        env: { NODE_USE_ENV_PROXY: '1' },
        maxLineLength: MAX_LINE_LENGTH,
        onEvent: event =>
          event.event === 'progress' ? onProgress(event.progress) : this.#answer.resolve(event),
        onLost: why => this.#answer.reject(new RegistryLost(`the registry's process: ${why}`)),
      });
    } finally {
      closeSync(cacheFd);
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Frames of the relay's, in and out. */
  get relay() {
    return { input: this.#process.stream(0), output: this.#process.stream(1) };
  }

  /** The installed tree goes here. */
  get tree(): Duplex {
    return this.#process.stream(TREE_FD);
  }

  /** Its one answer. @throws {RegistryLost} */
  get answer(): Promise<Answer> {
    return this.#answer.promise;
  }

  ask(request: RegistryRequest): void {
    this.#process.send(request);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
