import { CodeBeakerError } from './codebeaker-error.ts';
import { followRun } from './event-stream.ts';
import type { Feeds } from './feeds.ts';
import type { Http } from './http.ts';
import type { Inbox, RunEvent } from './inbox.ts';
import { type PortEvent, portEvents } from './port-events.ts';
import { Run, resultOf, untilLeft } from './run.ts';
import { sessionEvents } from './session-events.ts';
import { download, type TransferOptions, upload } from './transfer.ts';
import { watchFiles } from './watch.ts';
import type {
  Commands,
  ExecuteCodeCommand,
  ExecuteShellCommand,
  ExposedPort,
  FileEvent,
  ListeningPort,
  SessionInfo,
  StatusResponse,
} from './wire.ts';

/** How a cell is to run. */
export type CellOptions = Omit<ExecuteCodeCommand, 'type' | 'id' | 'code' | 'background'> & Interactive;
/** How a program is to run; without `timeout` it may run as long as the session where it is started, and a minute where it is waited for. */
export type ProgramOptions = Omit<
  ExecuteShellCommand,
  'type' | 'id' | 'commandName' | 'args' | 'background'
> &
  Interactive;
interface Interactive {
  /** `input()` of its run feeds its standard input. One of these runs at a time, of a session's programs and of each context's cells. */
  interactive?: boolean;
  /** Ends it, and what waits for it fails with the signal's reason. */
  signal?: AbortSignal;
}
/** What a file is to hold. */
export type FileData = string | Uint8Array | Blob | ReadableStream<Uint8Array>;
type Fields<T extends keyof Commands> = Omit<Commands[T]['command'], 'type' | 'id'>;

/** Seconds of a program that is waited for, as the service has it. */
const SHELL_SECONDS = 60;

/** Files and interpreters that remain from call to call, in a sandbox of their own, until it is closed or times out. */
export class Session implements AsyncDisposable {
  readonly id: string;
  readonly #http: Http;
  readonly #feeds: Feeds;
  readonly #patience: number;
  readonly #path: string;

  /** @param patience for how long a connection is tried to be made, milliseconds */
  constructor(id: string, { http, feeds, patience }: { http: Http; feeds: Feeds; patience: number }) {
    this.id = id;
    this.#http = http;
    this.#feeds = feeds;
    this.#patience = patience;
    this.#path = `/api/session/${encodeURIComponent(id)}`;
  }

  /** Runs a cell: what it defines stays. One that fails is a result too, with its exception in `error`. */
  async run(code: string, options: CellOptions = {}): Promise<StatusResponse> {
    return resultOf(await this.#start({ type: 'execute_code', code, ...options }, false), options.signal);
  }

  /** Runs a cell and gives what it tells, as it comes. Leaving the loop ends it. */
  async *stream(code: string, options: CellOptions = {}): AsyncGenerator<RunEvent, void> {
    yield* untilLeft(await this.start(code, options));
  }

  /** Starts a cell. */
  start(code: string, options: CellOptions = {}): Promise<Run> {
    return this.#start({ type: 'execute_code', code, ...options }, true);
  }

  /** Runs a program with its arguments, without a shell in between; use `shell('sh', ['-c', …])` for one. */
  async shell(
    commandName: string,
    args: string[] = [],
    options: ProgramOptions = {},
  ): Promise<StatusResponse> {
    const command = { type: 'execute_shell' as const, commandName, args, timeout: SHELL_SECONDS, ...options };
    return resultOf(await this.#start(command, false), options.signal);
  }

  /** Starts a program, which goes on by itself. */
  spawn(commandName: string, args: string[] = [], options: ProgramOptions = {}): Promise<Run> {
    return this.#start({ type: 'execute_shell', commandName, args, ...options }, true);
  }

  /** Starts a program in a terminal: `input()` types, and what it shows comes as output on stdout. */
  terminal(
    commandName = 'sh',
    args: string[] = [],
    {
      cols = 80,
      rows = 24,
      ...options
    }: Omit<ProgramOptions, 'stdin' | 'pty'> & { cols?: number; rows?: number } = {},
  ): Promise<Run> {
    return this.spawn(commandName, args, { ...options, pty: { cols, rows } });
  }

  /** A cell or program of this session that was started before, also by another client, as far as what it told is kept. */
  follow(executionId: string): Run {
    const following = { executionId, sessionId: this.id, isRead: true, patience: this.#patience };
    return this.#run(executionId, { inbox: followRun(this.#http, following) });
  }

  /**
   * Writes a file, and its parent directories; it is replaced whole or not at all. One of any size comes as a blob or a stream; not
   * every browser sends a stream. `mode` are its permissions, such as 0o755.
   */
  async write(path: string, data: FileData, { mode }: { mode?: number } = {}): Promise<void> {
    const body = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const headers = {
      'content-type': 'application/octet-stream',
      ...(mode !== undefined && { 'x-file-mode': mode.toString(8) }),
    };
    await this.#http.ask('PUT', this.#file(path), { body, headers });
  }

  /** Unpacks a tar archive into a directory. What came before what is refused stays. */
  async unpack(path: string, archive: Exclude<FileData, string>): Promise<void> {
    const headers = { 'content-type': 'application/x-tar' };
    await this.#http.ask('PUT', this.#file(path), { body: archive, headers });
  }

  /** All of a file. */
  async read(path: string): Promise<Uint8Array> {
    const bytes = await this.#http.whole('GET', this.#file(path), response => response.arrayBuffer());
    return new Uint8Array(bytes);
  }

  /** All of a file, as UTF-8. */
  async readText(path: string): Promise<string> {
    return this.#http.whole('GET', this.#file(path), response => response.text());
  }

  /** A file of any size, piece by piece; of a directory a tar archive. */
  async readStream(path: string): Promise<ReadableStream<Uint8Array>> {
    return (await this.#http.ask('GET', this.#file(path))).body!;
  }

  /**
   * Writes a file of any size, whole or not at all. A connection that is lost is made again, and goes on behind the last byte that was
   * taken. A file of a disk comes as a blob: `openAsBlob` of Node.js, `Bun.file`, what an `<input type="file">` has.
   */
  async upload(
    path: string,
    data: string | Uint8Array | Blob,
    { mode, ...options }: TransferOptions & { mode?: number } = {},
  ): Promise<void> {
    const blob = data instanceof Blob ? data : new Blob([data as Uint8Array<ArrayBuffer>]);
    await upload(this.#http, this.#at(path), { ...options, data: blob, mode });
  }

  /**
   * A file of any size, or a part of it, piece by piece, at the pace of who reads. A connection that is lost is made again, and goes on
   * behind the last piece. @throws {CodeBeakerError} CONFLICT where the file has changed meanwhile
   */
  download(
    path: string,
    options: TransferOptions & { offset?: number; length?: number } = {},
  ): AsyncGenerator<Uint8Array, void> {
    return download(this.#http, this.#at(path), options);
  }

  /**
   * What becomes of a directory or file, until the loop is left, or what is watched or the session has ended. Resolves when it is
   * watched; what can't be told, because the reader is slow or a connection was lost, is an `overflow`.
   */
  watch(
    path = '.',
    { recursive = false, signal }: { recursive?: boolean; signal?: AbortSignal } = {},
  ): Promise<AsyncGenerator<FileEvent, void>> {
    return watchFiles(this.#http, { ...this.#at(path), recursive, signal });
  }

  /** What listens on TCP in it now. */
  async ports(): Promise<ListeningPort[]> {
    const params = { sessionId: this.id };
    return (await this.#http.call<{ ports: ListeningPort[] }>('session.ports', params)).ports;
  }

  /** What listens in it, and then what comes and goes, until the loop is left or the session has ended. */
  portEvents({ signal }: { signal?: AbortSignal } = {}): Promise<AsyncGenerator<PortEvent, void>> {
    return portEvents(this.#http, { sessionId: this.id, patience: this.#patience, signal });
  }

  /**
   * Gives a port an address, `url`. Who asks there needs the `token` as header `X-CodeBeaker-Port-Token`, unless it is `public`. It
   * ends after `ttlSeconds`, or with the session.
   */
  expose(port: number, options: { ttlSeconds?: number; public?: boolean } = {}): Promise<ExposedPort> {
    return this.#http.call<ExposedPort>('session.expose', { sessionId: this.id, port, ...options });
  }

  /** Takes a port's address away, and ends what is open there. */
  async unexpose(port: number): Promise<void> {
    await this.#http.call('session.unexpose', { sessionId: this.id, port });
  }

  async list(path = '.', options: Omit<Fields<'list_directory'>, 'path'> = {}) {
    return (await this.execute({ type: 'list_directory', path, ...options })).entries;
  }

  /** What installs packages for all that starts afterwards. @throws {CodeBeakerError} COMMAND_FAILED with why in `reason` */
  install(packages: string[], options: Omit<Fields<'install_packages'>, 'packages'> = {}) {
    return this.execute({ type: 'install_packages', packages, ...options });
  }

  /**
   * Any command of a session and its result, such as `stat`, `copy_file` or `diff`.
   * @throws {CodeBeakerError} COMMAND_FAILED where it could not do its work
   */
  async execute<T extends keyof Commands>(
    command: { type: T } & Commands[T]['command'],
  ): Promise<Commands[T]['result']> {
    const path = `${this.#path}/execute`;
    const { success, result, error } = await this.#http.json<{
      success: boolean;
      result: Commands[T]['result'];
      error: string;
    }>('POST', path, { body: { command } });
    if (!success) throw new CodeBeakerError('COMMAND_FAILED', error, result ?? {});
    return result;
  }

  /**
   * What its commands have told, from what is kept behind the event `after`; with `follow` also what they tell from now on, until it
   * has ended or the loop is left.
   */
  async *events({
    after = 0,
    follow = false,
  }: {
    after?: number;
    follow?: boolean;
  } = {}): AsyncGenerator<RunEvent, void> {
    yield* sessionEvents(this.#http, { sessionId: this.id, after, follow, patience: this.#patience });
  }

  info(): Promise<SessionInfo> {
    return this.#http.json<SessionInfo>('GET', this.#path);
  }

  /** Ends it and all that runs in it; one that has ended stays so. */
  async close(): Promise<void> {
    try {
      await this.#http.ask('DELETE', this.#path);
    } catch (error) {
      if (!(error instanceof CodeBeakerError) || error.code !== 'SESSION_NOT_FOUND') throw error;
    }
    this.#feeds.forget(this.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(
    { interactive = false, signal, ...command }: (ExecuteCodeCommand | ExecuteShellCommand) & Interactive,
    isRead: boolean,
  ): Promise<Run> {
    signal?.throwIfAborted();
    const { executionId, inbox } = await this.#feeds.start(this.id, command, { interactive, isRead });
    return this.#run(executionId, { inbox, signal });
  }

  #run(executionId: string, parts: { inbox: Inbox; signal?: AbortSignal | undefined }): Run {
    const call = (method: string, params: object) => this.#feeds.call(method, params);
    return new Run(executionId, { ...parts, http: this.#http, call, patience: this.#patience });
  }

  #at(path: string) {
    return { sessionId: this.id, path, patience: this.#patience };
  }

  #file(path: string): string {
    const parts = path.split('/').filter(part => part !== '.');
    // In a URL these would lead to something else of the service, however they are written.
    if (parts.includes('..')) throw new CodeBeakerError('VALIDATION_ERROR', "path: has a part '..'");
    return `${this.#path}/files/${parts.map(encodeURIComponent).join('/')}`;
  }
}
