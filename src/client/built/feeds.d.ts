import type { Http } from './http.ts';
import { Inbox } from './inbox.ts';
import type { ExecuteCodeCommand, ExecuteShellCommand } from './wire.ts';
/**
 * Follows what runs in sessions, all over one connection. One that is lost while something runs is made again, and goes on
 * behind the last event that came, so that none is missed and none comes twice.
 */
export declare class Feeds {
    #private;
    constructor(http: Http, patience: number);
    /**
     * Starts a command in the background, or with its standard input open, which is not served there. What it tells comes into
     * the inbox.
     */
    start(sessionId: string, command: ExecuteCodeCommand | ExecuteShellCommand, { interactive, isRead }: {
        interactive: boolean;
        isRead: boolean;
    }): Promise<{
        executionId: string;
        inbox: Inbox;
    }>;
    call<T>(method: string, params: object): Promise<T>;
    /** The session ends: nothing new will be followed, and what ran is told its end. */
    forget(sessionId: string): void;
    close(): void;
}
