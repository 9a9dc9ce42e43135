import { watchWords } from '../../agent/artifact.ts';
import { ServiceError } from '../../errors.ts';
import { type Process, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import type { FileEvent } from '../../schemas/file-events.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { KERNELS } from '../../toolchains/toolchain.ts';
import { pace } from '../events/pace.ts';
import { asServiceError } from '../file-refusals.ts';
import type { Session } from '../sessions/session.ts';
import { RecordReader, type WatchRecord } from './records.ts';

/** Most characters of why it ended. */
const MOST_WORDS = 8192;
/**
 * Events of a watch in a moment, and how long that is, milliseconds: more than an install makes. A program may make as many as it
 * likes; what waits for its turn waits in the kernel's queue, and is told as an overflow where that is full.
 */
const EVENTS_PER_MOMENT = 256;
const MOMENT_MS = 10;

export interface WatchOptions {
  readonly path: string;
  readonly recursive: boolean;
}

/** Receives what has happened. Its promise is awaited: what happens meanwhile is told as an overflow, where it is too much. */
export type OnFileEvent = (event: FileEvent) => void | Promise<void>;

/**
 * Watches a directory or file of a session, by a program of the sandbox: what that takes is the session's, and a long look through many
 * directories holds up nothing else.
 */
export class Watch {
  readonly id = crypto.randomUUID();
  readonly ended: Promise<void>;
  readonly #session: Session;
  readonly #path: string;
  readonly #process: Process;
  readonly #tell: OnFileEvent;
  readonly #ready = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  #words = '';
  #isReady = false;
  #isStopped = false;
  #toldInMoment = 0;

  private constructor(session: Session, path: string, process: Process, tell: OnFileEvent) {
    this.#session = session;
    this.#path = path;
    this.#process = process;
    this.#tell = tell;
    this.#ready.promise.catch(() => {});
    this.ended = this.#run();
  }

  /**
   * Resolves once all is watched; tells nothing before `start`.
   * @throws {ServiceError} COMMAND_FAILED with the reason
   */
  static async open(
    session: Session,
    { path, recursive }: WatchOptions,
    tell: OnFileEvent,
    signal: AbortSignal,
  ): Promise<Watch> {
    const words = watchWords({ path, recursive, mostDirectories: LIMITS.watchedDirectories });
    const argv = [`${KERNELS}/agent`, ...words];
    const spawned = session.lease.sandbox.spawn({ argv, cwd: WORKSPACE, env: {}, stdin: 'none' });
    const process = await asServiceError(spawned);
    const watch = new Watch(session, path, process, tell);
    const stop = () => watch.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const late = setTimeout(stop, LIMITS.shellTimeoutSeconds * 1000);
    try {
      await watch.#ready.promise;
      return watch;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Begins to tell. */
  start(): void {
    this.#started.resolve();
  }

  /** Ends it; nothing more is told. */
  stop(): void {
    this.#isStopped = true;
    this.#started.resolve();
    this.#end();
  }

  /** By a signal: what `kill` ends with a program is also what others have left running since it began (src/agent/tree.h). */
  #end(): void {
    this.#process.signal('SIGKILL');
  }

  async #run(): Promise<void> {
    let why: string;
    try {
      why = (await this.#read()) ?? 'What was watched is gone';
    } catch (error) {
      this.#end();
      why = error instanceof SandboxLost ? 'The session has ended' : 'The watching program was ended';
    }
    this.#ready.reject(new ServiceError('COMMAND_FAILED', this.#isReady ? why : this.#words || why));
    // Who is told may have failed by itself.
    if (this.#isReady) await this.#pass({ type: 'ended', path: '', message: why }).catch(() => {});
  }

  /** Resolves to why it ended; null where what was watched is gone. */
  async #read(): Promise<string | null> {
    const reader = new RecordReader();
    for await (const event of this.#process.events) {
      if (event.type === 'exit')
        return event.code === 0 ? null : this.#words || 'The watching program was ended';
      if (event.type !== 'output') continue;
      if (event.stream === 'stderr') this.#hear(event.data);
      else for (const record of reader.push(event.data)) await this.#on(record);
    }
    return null;
  }

  #hear(data: Uint8Array): void {
    this.#words = (this.#words + Buffer.from(data).toString('utf8')).slice(0, MOST_WORDS).trimEnd();
  }

  async #on({ type, ...record }: WatchRecord): Promise<void> {
    if (type !== 'ready') return this.#pass({ type, ...record });
    this.#isReady = true;
    this.#ready.resolve();
  }

  async #pass({
    path,
    newPath,
    ...rest
  }: Pick<FileEvent['params'], 'type' | 'path' | 'newPath' | 'message'>) {
    await this.#started.promise;
    await this.#turn(path);
    if (this.#isStopped) return;
    const params = {
      watchId: this.id,
      sessionId: this.#session.id,
      ...rest,
      path: this.#absolute(path),
      ...(newPath !== undefined && { newPath: this.#absolute(newPath) }),
    };
    await this.#tell({ method: 'fs.changed', params });
  }

  async #turn(path: string): Promise<void> {
    await pace.take(path.length);
    if (this.#toldInMoment++ < EVENTS_PER_MOMENT) return;
    this.#toldInMoment = 1;
    await new Promise(resolve => setTimeout(resolve, MOMENT_MS));
  }

  #absolute(path: string): string {
    return path === '' ? this.#path : `${this.#path}/${path}`;
  }
}
