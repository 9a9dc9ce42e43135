import type { Http } from './http.ts';
/** What is asked for, and what that tells. */
interface Asked<T> {
    readonly method: string;
    readonly params: object;
    /** Of each connection, what it says at once. */
    readonly begin: (answer: unknown, isAgain: boolean) => readonly T[];
    /** Of a notification, what it says. */
    readonly read: (method: string, params: unknown) => readonly T[];
    /** Whether nothing comes after it. */
    readonly isLast: (event: T) => boolean;
    /** In the place of those that are lost because their reader is slow. */
    readonly overflow: () => readonly T[];
    /** For how long a lost connection is made again, milliseconds. */
    readonly patience: number;
    readonly signal?: AbortSignal | undefined;
}
/**
 * What a session tells, over a connection of its own, which is made again where it is lost. Resolves when it is told; who does not read
 * up to the end leaves by `return()`, as a loop does.
 */
export declare function told<T>(http: Http, asked: Asked<T>): Promise<AsyncGenerator<T, void>>;
export {};
