/**
 * What was not done, and why. A program that fails is no error but a result. `code` is the service's, as
 * `SESSION_NOT_FOUND`, or one of three of the client's own: `UNREACHABLE`, `CONNECTION_LOST` (whether it was done is not known)
 * and `COMMAND_FAILED`.
 */
export declare class CodeBeakerError extends Error {
    readonly name = "CodeBeakerError";
    readonly code: string;
    /** The field of the request that is wrong, where that came over a WebSocket; else `message` begins with it. */
    readonly field: string | undefined;
    readonly details: string | undefined;
    readonly reason: string | undefined;
    /** Seconds after which trying again may help. */
    readonly retryAfter: number | undefined;
    /** @param said what came with it; of that, what is known here is kept */
    constructor(code: string, message: string, said?: object);
}
/** An error of JSON-RPC. */
export declare const saidOf: ({ message, data }: {
    message: string;
    data?: {
        code?: string;
    };
}) => CodeBeakerError;
export declare const unreachable: (url: string, why: unknown) => CodeBeakerError;
export declare const connectionLost: (why?: unknown) => CodeBeakerError;
/** What a request failed with that has no answer, or only a part of one. */
export declare function unanswered(method: string, url: string, why: unknown): CodeBeakerError;
/** Whether asking again may help: no answer came. */
export declare const isUnanswered: (error: unknown) => boolean;
