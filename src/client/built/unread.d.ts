/** What came and was not read yet, for one reader. */
export declare class Unread<T> implements AsyncIterable<T> {
    #private;
    /** @param overflow what takes the place of all that waits, where more than `most` would */
    constructor(most?: number, overflow?: () => readonly T[]);
    push(values: readonly T[]): void;
    /** @param end with the error that what came before is followed by, if any */
    end(end: {
        readonly error?: unknown;
    }): void;
    [Symbol.asyncIterator](): AsyncGenerator<T, void>;
}
