/** Finds out that nobody answers any more on a connection that nobody has closed. */
export declare class Silence implements Disposable {
    #private;
    /** @param ask for a sign of life @param gone called when none came */
    constructor(ask: () => void, gone: () => void);
    /** Something came. */
    broken(): void;
    [Symbol.dispose](): void;
}
