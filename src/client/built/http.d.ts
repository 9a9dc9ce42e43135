/** What a request carries beside its path. */
export interface Asking {
    /** Sent as JSON, unless it is bytes, or a stream or blob of them. */
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
}
/** The service over HTTP. */
export declare class Http {
    #private;
    /** Without a slash at its end. */
    readonly url: string;
    readonly key: string | undefined;
    constructor(url: string, key: string | undefined);
    /** @throws {CodeBeakerError} for every status that is an error, and where there is no answer */
    ask(method: string, path: string, { body, headers, signal }?: Asking): Promise<Response>;
    json<T>(method: string, path: string, asking?: Asking): Promise<T>;
    /** A method of JSON-RPC that needs no connection of its own. */
    call<T>(method: string, params: object): Promise<T>;
    /** An answer up to its end, taken by `take`. @throws {CodeBeakerError} also where it is cut off */
    whole<T>(method: string, path: string, take: (response: Response) => Promise<T>, asking?: Asking): Promise<T>;
}
