import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ConfinedProcess } from '../confined/confined-process.ts';
import type { ConfinedSetup } from '../confined/protocol.ts';
import type { Progress } from './registry/gateway.ts';
import {
  type EcosystemName,
  PAGES_SOCKET,
  type PagesEvent,
  type PagesRequest,
  type PagesSetup,
  type Picked,
  type RegistryEvent,
  type RegistryRequest,
  type RegistrySetup,
  TREE_FD,
  type Wanted,
} from './registry/protocol.ts';
import { isRegistryEvent } from './registry-events.ts';

const MAIN = fileURLToPath(new URL('./registry/main.ts', import.meta.url));
const CACHE_FD = 5;
const DESCRIBED_FD = 6;
const PAGES_FD = 7;
/** After which what keeps pages ends, milliseconds. */
const IDLE_MS = 5 * 60_000;
/** For it to begin, and for its answers from then on, milliseconds. */
const START_MS = 10_000;
const HEARD_MS = 2000;
/** For what it would pick, after which an install asks for itself, milliseconds. */
const PICK_MS = 5000;
const NEVER = new AbortController().signal;
/** Its longest line tells what was installed. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;
/** Of the server's environment, where registries are reached by way of something. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** What it needs of the server's environment to reach registries. */
const REACHING = { passed: PROXIES, env: { NODE_USE_ENV_PROXY: '1' } };

/** The process has ended without an answer. */
export class RegistryLost extends Error {}

type Answer = Exclude<RegistryEvent, { event: 'progress' }>;

/**
 * The registry's process of one install (registry/main.ts), as the server holds it: started with nobody to work for yet, and told of one
 * install then. Disposing of it ends it and waits for that.
 */
export class RegistryProcess implements AsyncDisposable {
  readonly #process: ConfinedProcess<RegistryEvent>;
  readonly #answer = Promise.withResolvers<Answer>();
  readonly #pages: string | null;
  #onProgress: (progress: Progress) => void = () => {};

  constructor(
    setup: ConfinedSetup,
    {
      directory,
      cache,
      described,
      pages = null,
    }: {
      directory: string;
      cache: string;
      /** What is known of artifacts already. */
      described: string;
      /** Of the process that keeps pages. */
      pages?: string | null;
    },
  ) {
    if (setup.uid !== null) chownSync(directory, setup.uid, setup.uid);
    this.#answer.promise.catch(() => {});
    this.#pages = pages === null ? null : `/proc/self/fd/${PAGES_FD}/${PAGES_SOCKET}`;
    // It can't be reached by its path, which leads through directories that are closed to others.
    const fds = [cache, described, ...(pages === null ? [] : [pages])].map(path =>
      openSync(path, constants.O_RDONLY | constants.O_DIRECTORY),
    );
    try {
      this.#process = new ConfinedProcess<RegistryEvent>({
        main: MAIN,
        setup,
        cwd: directory,
        writes: true,
        piped: true,
        more: ['pipe', ...fds],
        ...REACHING,
        maxLineLength: MAX_LINE_LENGTH,
        onEvent: event => {
          if (!isRegistryEvent(event)) throw new Error('an event that there is not');
          if (event.event === 'progress') this.#onProgress(event.progress);
          else this.#answer.resolve(event);
        },
        onLost: why => this.#answer.reject(new RegistryLost(`the registry's process: ${why}`)),
      });
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  }

  /** Tells it what it is for, once. */
  begin(
    setup: Omit<RegistrySetup, 'cache' | 'described' | 'pages'>,
    onProgress: (progress: Progress) => void,
  ): void {
    this.#onProgress = onProgress;
    const [cache, described] = [CACHE_FD, DESCRIBED_FD].map(fd => `/proc/self/fd/${fd}`) as [string, string];
    this.#process.send({ ...setup, cache, described, pages: this.#pages } satisfies RegistrySetup);
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

/**
 * The process that keeps pages of registries for all installs (registry/kept-pages.ts): begun when one is first wanted, ended when none was
 * for a while, or when it does not answer. Where it has gone, installs ask registries themselves, and the next one begins it again.
 */
export class PagesProcess {
  readonly #directory: string;
  readonly #begin: () => { setup: PagesSetup; ended: () => void };
  readonly #idleMs: number;
  readonly #heardMs: number;
  #process: ConfinedProcess<PagesEvent> | null = null;
  /** It has answered once. */
  #ready = false;
  readonly #picking = new Map<number, (versions: Picked) => void>();
  #lastPick = 0;
  #idle: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;

  /** `directory`: what it is reached by. */
  constructor(
    directory: string,
    begin: () => { setup: PagesSetup; ended: () => void },
    { idleMs = IDLE_MS, heardMs = HEARD_MS } = {},
  ) {
    this.#directory = directory;
    this.#begin = begin;
    this.#idleMs = idleMs;
    this.#heardMs = heardMs;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The directory to reach it by, which it is in from now on, or soon. */
  wanted(): string {
    this.#process ??= this.#started();
    const process = this.#process;
    const end = () => void process[Symbol.asyncDispose]();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(end, this.#idleMs).unref();
    this.#late ??= setTimeout(end, this.#ready ? this.#heardMs : START_MS).unref();
    process.send({ op: 'answer' } satisfies PagesRequest);
    return this.#directory;
  }

  /** What an installer would take of each; nothing where that is not known in time. */
  async pick(
    ecosystem: EcosystemName,
    list: readonly Wanted[],
    signal: AbortSignal = NEVER,
  ): Promise<Picked> {
    this.wanted();
    const number = ++this.#lastPick;
    const picked = Promise.withResolvers<Picked>();
    this.#picking.set(number, picked.resolve);
    const drop = () => {
      this.#process?.send({ op: 'drop', number } satisfies PagesRequest);
      picked.resolve([]);
    };
    const timer = setTimeout(drop, PICK_MS);
    signal.addEventListener('abort', drop);
    try {
      const wanted = list.map(({ name, versions }) => ({ name, versions }));
      this.#process?.send({ op: 'pick', number, ecosystem, list: wanted } satisfies PagesRequest);
      return await picked.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', drop);
      this.#picking.delete(number);
    }
  }

  #started(): ConfinedProcess<PagesEvent> {
    const { setup, ended } = this.#begin();
    rmSync(join(this.#directory, PAGES_SOCKET), { recursive: true, force: true });
    if (setup.uid !== null) chownSync(this.#directory, setup.uid, setup.uid);
    this.#ready = false;
    return new ConfinedProcess<PagesEvent>({
      main: MAIN,
      setup,
      cwd: this.#directory,
      writes: true,
      ...REACHING,
      maxLineLength: MAX_LINE_LENGTH,
      onEvent: event => {
        if (event.event === 'picked') {
          const { number, versions } = event;
          return this.#picking.get(number)?.(Array.isArray(versions) ? versions : []);
        }
        this.#ready = true;
        this.#inTime();
      },
      onLost: () => {
        this.#process = null;
        for (const resolve of this.#picking.values()) resolve([]);
        clearTimeout(this.#idle);
        this.#inTime();
        ended();
      },
    });
  }

  #inTime(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
  }
}
