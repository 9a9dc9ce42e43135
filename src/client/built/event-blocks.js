import { CodeBeakerError } from './codebeaker-error.js';
/** Without anything for so long, the connection counts as lost; the service gives a sign of life every 15 s. */
export const SILENCE_MS = 45_000;
/** Characters of an event: the results of a cell are the most that comes in one, 16 MiB of them, and JSON may write one as six. */
const MOST_LENGTH = 128 * 1024 * 1024;
/**
 * The blocks of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), which an empty line ends each.
 * @throws where one has more characters than `most`, or nothing comes for `silenceMs`
 */
export async function* blocksOf(body, { most = MOST_LENGTH, silenceMs = SILENCE_MS } = {}) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let pieces = [];
    let length = 0;
    try {
        for (;;) {
            const { done, value } = await within(silenceMs, reader.read());
            if (done)
                return;
            const piece = decoder.decode(value, { stream: true });
            pieces.push(piece);
            length += piece.length;
            if (length > most)
                throw new CodeBeakerError('INTERNAL_ERROR', 'An event came that has no end');
            // Joined only where a block ends in it: one may come in many pieces.
            if (!piece.includes('\n\n') && !(piece.startsWith('\n') && pieces.at(-2)?.endsWith('\n')))
                continue;
            const blocks = pieces.join('').split('\n\n');
            pieces = [blocks.pop()];
            length = pieces[0].length;
            yield* blocks;
        }
    }
    finally {
        await reader.cancel().catch(() => { });
    }
}
/** The same, unless it takes longer than so many milliseconds, or any time where that is no number of them. */
export function within(ms, promise) {
    if (!Number.isFinite(ms))
        return promise;
    const { promise: silence, reject } = Promise.withResolvers();
    const timer = setTimeout(() => reject(new Error(`nothing came for ${ms / 1000} s`)), ms);
    return Promise.race([promise, silence]).finally(() => clearTimeout(timer));
}
