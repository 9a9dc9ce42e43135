import type { RunEvent } from './inbox.ts';
import { Run } from './run.ts';
import { Session } from './session.ts';
import type { ExecuteRequest, LanguageInfo, SessionConfig, SessionInfo, StatusResponse } from './wire.ts';
export interface ClientOptions {
    /** Of the service; by default where it listens by default. */
    url?: string | undefined;
    /** If the service asks for one. */
    key?: string | undefined;
    /** For how many seconds a lost connection is tried to be made again while something runs. */
    patience?: number | undefined;
}
/** How a program is started. */
export interface StartOptions {
    interactive?: boolean;
    /** Ends it. */
    signal?: AbortSignal | undefined;
}
/** A client of CodeBeaker. It needs `fetch` and, for what runs in sessions, `WebSocket`. */
export declare class CodeBeaker implements Disposable {
    #private;
    constructor({ url, key, patience }?: ClientOptions);
    /** Runs a program once, in a sandbox of its own. One that fails is a result too. */
    run(request: ExecuteRequest, { signal }?: {
        signal?: AbortSignal;
    }): Promise<StatusResponse>;
    /** Runs a program once and gives what it tells, as it comes. Leaving the loop ends it. */
    stream(request: ExecuteRequest): AsyncGenerator<RunEvent, void>;
    /**
     * Starts a program, once, in a sandbox of its own. With `interactive`, `input()` feeds its standard input; it then has a connection
     * of its own, and ends with that.
     */
    start(request: ExecuteRequest, { interactive, signal }?: StartOptions): Promise<Run>;
    /** A program that was started before, also by another client. */
    follow(executionId: string): Run;
    /** Opens a session; `await using` closes it. */
    session(config: SessionConfig): Promise<Session>;
    /** A session that is there already. */
    attach(sessionId: string): Session;
    /** The sessions of this key. */
    sessions(): AsyncGenerator<SessionInfo, void>;
    languages(): Promise<LanguageInfo[]>;
    /** Ends its connection; sessions and what runs in them go on. */
    close(): void;
    [Symbol.dispose](): void;
}
