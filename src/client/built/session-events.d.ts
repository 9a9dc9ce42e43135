import type { Http } from './http.ts';
import type { RunEvent } from './inbox.ts';
interface Asked {
    readonly sessionId: string;
    /** The number of an event; those behind it are told. */
    readonly after: number;
    /** Whether it goes on with what comes. */
    readonly follow: boolean;
    /** For how long a connection is tried to be made again, milliseconds. */
    readonly patience: number;
}
/** What the commands of a session tell, over server-sent events. A stream that breaks off is asked for again. */
export declare function sessionEvents(http: Http, { sessionId, after, follow, patience }: Asked): AsyncGenerator<RunEvent, void>;
export {};
