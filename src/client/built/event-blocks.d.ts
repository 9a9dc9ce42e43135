/** Without anything for so long, the connection counts as lost; the service gives a sign of life every 15 s. */
export declare const SILENCE_MS = 45000;
/**
 * The blocks of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), which an empty line ends each.
 * @throws where one has more characters than `most`, or nothing comes for `silenceMs`
 */
export declare function blocksOf(body: ReadableStream<Uint8Array>, { most, silenceMs }?: {
    most?: number | undefined;
    silenceMs?: number | undefined;
}): AsyncGenerator<string>;
/** The same, unless it takes longer than so many milliseconds, or any time where that is no number of them. */
export declare function within<T>(ms: number, promise: Promise<T>): Promise<T>;
