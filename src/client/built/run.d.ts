import type { Http } from './http.ts';
import type { Inbox, RunEvent } from './inbox.ts';
import type { StatusResponse } from './wire.ts';
export interface RunParts {
    readonly inbox: Inbox;
    readonly http: Http;
    readonly call: (method: string, params: object) => Promise<unknown>;
    /** For how long an answer about its end is asked for again, milliseconds. */
    readonly patience: number;
    /** Cancels it. */
    readonly signal?: AbortSignal | undefined;
}
/**
 * A program or cell that was started. What it tells is read by `for await`, once; leaving that early leaves it running.
 */
export declare class Run implements AsyncIterable<RunEvent> {
    #private;
    /** Names it, for other clients as well. */
    readonly id: string;
    constructor(id: string, { inbox, http, call, patience, signal }: RunParts);
    /** What it tells, from its start. */
    [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void>;
    /** Resolves when it has ended: how, and what it printed. */
    result(): Promise<StatusResponse>;
    /** Ends it, if it runs; resolves to how it ended. */
    cancel(): Promise<StatusResponse>;
    /** Types to a terminal, or writes to the standard input of a program that was started with `interactive`. `eof` ends it. */
    input(data: string | Uint8Array, { eof }?: {
        eof?: boolean;
    }): Promise<void>;
    /** @param signal a name, such as SIGINT */
    signal(signal: string): Promise<void>;
    /** Gives its terminal another size. */
    resize(cols: number, rows: number): Promise<void>;
}
/** What a run tells; who leaves before its end ends it. */
export declare function untilLeft(run: Run): AsyncGenerator<RunEvent, void>;
/** How a run ended. @throws the signal's reason, if that ended it */
export declare function resultOf(run: Run, signal: AbortSignal | undefined): Promise<StatusResponse>;
/** What an event of output brings, as it was printed. */
export declare function bytesOf({ text, data }: {
    text?: string;
    data?: string;
}): Uint8Array;
