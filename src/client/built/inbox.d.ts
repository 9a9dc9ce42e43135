import type { EventsByType } from './wire.ts';
/** Some of what a run told is lost: the service keeps only so much for those that come back. */
export interface EventsLost {
    readonly type: 'lost';
    /** How many events, of this run or of others of its session. */
    readonly count: number;
}
/** What a run tells, by its type; the fields are those of the notification. */
export type RunEvent = {
    [T in keyof EventsByType]: {
        readonly type: T;
    } & Readonly<EventsByType[T]>;
}[keyof EventsByType] | EventsLost;
/**
 * What came of one run and was not taken yet, for one reader. All that comes is held until it is read: as much as the service lets
 * a program print.
 */
export declare class Inbox implements AsyncIterable<RunEvent> {
    #private;
    /** Known from the first event, or from the answer. */
    executionId: string | undefined;
    /** @param isRead whether anybody reads events; else they are not kept */
    constructor(isRead: boolean);
    get hasEnded(): boolean;
    /** Resolves when the run has begun, or can't be followed. */
    get begun(): Promise<void>;
    /** Resolves when the run has ended; rejects where that can't be followed any more. */
    get ended(): Promise<void>;
    push(event: RunEvent): void;
    /** @param error what keeps it from being followed; events that came before are still read */
    end(error?: unknown): void;
    [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void>;
}
