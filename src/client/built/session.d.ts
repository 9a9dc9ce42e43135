import type { Feeds } from './feeds.ts';
import type { Http } from './http.ts';
import type { RunEvent } from './inbox.ts';
import { type PortEvent } from './port-events.ts';
import { Run } from './run.ts';
import { type TransferOptions } from './transfer.ts';
import type { Commands, ExecuteCodeCommand, ExecuteShellCommand, ExposedPort, FileEvent, ListeningPort, SessionInfo, StatusResponse } from './wire.ts';
/** How a cell is to run. */
export type CellOptions = Omit<ExecuteCodeCommand, 'type' | 'id' | 'code' | 'background'> & Interactive;
/** How a program is to run; without `timeout` it may run as long as the session where it is started, and a minute where it is waited for. */
export type ProgramOptions = Omit<ExecuteShellCommand, 'type' | 'id' | 'commandName' | 'args' | 'background'> & Interactive;
interface Interactive {
    /** `input()` of its run feeds its standard input. One of these runs at a time, of a session's programs and of each context's cells. */
    interactive?: boolean;
    /** Ends it, and what waits for it fails with the signal's reason. */
    signal?: AbortSignal;
}
/** What a file is to hold. */
export type FileData = string | Uint8Array | Blob | ReadableStream<Uint8Array>;
type Fields<T extends keyof Commands> = Omit<Commands[T]['command'], 'type' | 'id'>;
/** Files and interpreters that remain from call to call, in a sandbox of their own, until it is closed or times out. */
export declare class Session implements AsyncDisposable {
    #private;
    readonly id: string;
    /** @param patience for how long a connection is tried to be made, milliseconds */
    constructor(id: string, { http, feeds, patience }: {
        http: Http;
        feeds: Feeds;
        patience: number;
    });
    /** Runs a cell: what it defines stays. One that fails is a result too, with its exception in `error`. */
    run(code: string, options?: CellOptions): Promise<StatusResponse>;
    /** Runs a cell and gives what it tells, as it comes. Leaving the loop ends it. */
    stream(code: string, options?: CellOptions): AsyncGenerator<RunEvent, void>;
    /** Starts a cell. */
    start(code: string, options?: CellOptions): Promise<Run>;
    /** Runs a program with its arguments, without a shell in between; use `shell('sh', ['-c', …])` for one. */
    shell(commandName: string, args?: string[], options?: ProgramOptions): Promise<StatusResponse>;
    /** Starts a program, which goes on by itself. */
    spawn(commandName: string, args?: string[], options?: ProgramOptions): Promise<Run>;
    /** Starts a program in a terminal: `input()` types, and what it shows comes as output on stdout. */
    terminal(commandName?: string, args?: string[], { cols, rows, ...options }?: Omit<ProgramOptions, 'stdin' | 'pty'> & {
        cols?: number;
        rows?: number;
    }): Promise<Run>;
    /** A cell or program of this session that was started before, also by another client, as far as what it told is kept. */
    follow(executionId: string): Run;
    /**
     * Writes a file, and its parent directories; it is replaced whole or not at all. One of any size comes as a blob or a stream; not
     * every browser sends a stream. `mode` are its permissions, such as 0o755.
     */
    write(path: string, data: FileData, { mode }?: {
        mode?: number;
    }): Promise<void>;
    /** Unpacks a tar archive into a directory. What came before what is refused stays. */
    unpack(path: string, archive: Exclude<FileData, string>): Promise<void>;
    /** All of a file. */
    read(path: string): Promise<Uint8Array>;
    /** All of a file, as UTF-8. */
    readText(path: string): Promise<string>;
    /** A file of any size, piece by piece; of a directory a tar archive. */
    readStream(path: string): Promise<ReadableStream<Uint8Array>>;
    /**
     * Writes a file of any size, whole or not at all. A connection that is lost is made again, and goes on behind the last byte that was
     * taken. A file of a disk comes as a blob: `openAsBlob` of Node.js, `Bun.file`, what an `<input type="file">` has.
     */
    upload(path: string, data: string | Uint8Array | Blob, { mode, ...options }?: TransferOptions & {
        mode?: number;
    }): Promise<void>;
    /**
     * A file of any size, or a part of it, piece by piece, at the pace of who reads. A connection that is lost is made again, and goes on
     * behind the last piece. @throws {CodeBeakerError} CONFLICT where the file has changed meanwhile
     */
    download(path: string, options?: TransferOptions & {
        offset?: number;
        length?: number;
    }): AsyncGenerator<Uint8Array, void>;
    /**
     * What becomes of a directory or file, until the loop is left, or what is watched or the session has ended. Resolves when it is
     * watched; what can't be told, because the reader is slow or a connection was lost, is an `overflow`.
     */
    watch(path?: string, { recursive, signal }?: {
        recursive?: boolean;
        signal?: AbortSignal;
    }): Promise<AsyncGenerator<FileEvent, void>>;
    /** What listens on TCP in it now. */
    ports(): Promise<ListeningPort[]>;
    /** What listens in it, and then what comes and goes, until the loop is left or the session has ended. */
    portEvents({ signal }?: {
        signal?: AbortSignal;
    }): Promise<AsyncGenerator<PortEvent, void>>;
    /**
     * Gives a port an address, `url`. Who asks there needs the `token` as header `X-CodeBeaker-Port-Token`, unless it is `public`. It
     * ends after `ttlSeconds`, or with the session.
     */
    expose(port: number, options?: {
        ttlSeconds?: number;
        public?: boolean;
    }): Promise<ExposedPort>;
    /** Takes a port's address away, and ends what is open there. */
    unexpose(port: number): Promise<void>;
    list(path?: string, options?: Omit<Fields<'list_directory'>, 'path'>): Promise<{
        name: string;
        path: string;
        type: 'file' | 'directory' | 'symlink' | 'other';
        size: number;
        modifiedAt: string;
    }[]>;
    /** What installs packages for all that starts afterwards. @throws {CodeBeakerError} COMMAND_FAILED with why in `reason` */
    install(packages: string[], options?: Omit<Fields<'install_packages'>, 'packages'>): Promise<NonNullable<import("./wire.ts").InstallPackagesResult | null>>;
    /**
     * Any command of a session and its result, such as `stat`, `copy_file` or `diff`.
     * @throws {CodeBeakerError} COMMAND_FAILED where it could not do its work
     */
    execute<T extends keyof Commands>(command: {
        type: T;
    } & Commands[T]['command']): Promise<Commands[T]['result']>;
    /**
     * What its commands have told, from what is kept behind the event `after`; with `follow` also what they tell from now on, until it
     * has ended or the loop is left.
     */
    events({ after, follow, }?: {
        after?: number;
        follow?: boolean;
    }): AsyncGenerator<RunEvent, void>;
    info(): Promise<SessionInfo>;
    /** Ends it and all that runs in it; one that has ended stays so. */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
export {};
