import type { Http } from './http.ts';
import { Inbox, type RunEvent } from './inbox.ts';
/** Told of events that are not kept any more: the first and the last that are. */
export declare const LOST_BEFORE: RegExp;
/** What is followed, and by whom. */
interface Following {
    readonly executionId: string;
    /** Of a command: its session, whose events it is among. */
    readonly sessionId?: string;
    /** Whether anybody reads events. */
    readonly isRead: boolean;
    /** For how long in vain, milliseconds. */
    readonly patience: number;
}
/**
 * Follows a run over server-sent events. A stream that breaks off is asked for again, behind the last event that came.
 */
export declare function followRun(http: Http, following: Following): Inbox;
/**
 * Asks for the events behind that number; null: there will be none. @throws {CodeBeakerError}
 */
export declare function openEvents(http: Http, path: string, last: number): Promise<ReadableStream<Uint8Array> | null>;
export declare function eventOf(block: string): Exclude<RunEvent, {
    type: 'lost';
}> | null;
export {};
