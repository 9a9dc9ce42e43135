import type { Http } from './http.ts';
import { Inbox } from './inbox.ts';
import type { ExecuteRequest } from './wire.ts';
/**
 * Starts a program whose standard input stays open, over a connection of its own, which ends it when it is lost. Resolves when it has
 * begun to tell something. @throws the signal's reason, if that comes before
 */
export declare function startInteractive(http: Http, request: ExecuteRequest, signal?: AbortSignal): Promise<{
    executionId: string;
    inbox: Inbox;
    call: (method: string, params: object) => Promise<unknown>;
}>;
