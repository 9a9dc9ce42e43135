import type { Http } from './http.ts';
/** One WebSocket that speaks JSON-RPC. */
export declare class Link {
    #private;
    private constructor();
    /** Rejects with CONNECTION_LOST when nothing more can come. */
    get lost(): Promise<never>;
    /** @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
    static open(http: Http, tell: (method: string, params: unknown) => void, signal?: AbortSignal): Promise<Link>;
    /** @param look sees the answer before anything that is told after it */
    call<T>(method: string, params: object, look?: (result: T) => void): Promise<T>;
    close(): void;
}
