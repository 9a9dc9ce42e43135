/** One WebSocket that speaks JSON-RPC. */
export declare class Link {
    #private;
    private constructor();
    /** Rejects with CONNECTION_LOST when nothing more can come. */
    get lost(): Promise<never>;
    /** @param url of the service, as of HTTP @throws {CodeBeakerError} UNREACHABLE */
    static open(url: string, key: string | undefined, tell: (method: string, params: unknown) => void): Promise<Link>;
    /** @param look sees the answer before anything that is told after it */
    call<T>(method: string, params: object, look?: (result: T) => void): Promise<T>;
    close(): void;
}
