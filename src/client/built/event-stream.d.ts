import type { Http } from './http.ts';
import { Inbox } from './inbox.ts';
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
export {};
