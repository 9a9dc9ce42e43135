import type { Http } from './http.ts';
/** A program of a session has begun to listen on a port, or listens no more. */
export interface PortEvent {
    readonly type: 'opened' | 'closed';
    readonly port: number;
}
/** What listens, and what changes. Where a connection was lost, what changed meanwhile is told when it is made again. */
export declare function portEvents(http: Http, asked: {
    sessionId: string;
    patience: number;
    signal?: AbortSignal | undefined;
}): Promise<AsyncGenerator<PortEvent, void>>;
