import { CodeBeakerError, connectionLost, isUnanswered } from './codebeaker-error.js';
import { DataLink } from './data-link.js';
import { pause } from './pause.js';
/**
 * Sends a file, which changes when all of it is there. Over a connection that is made again it goes on behind the last byte that was
 * taken.
 */
export async function upload(http, { patience, ...place }, { data, mode, onProgress, signal }) {
    const { size } = data;
    const attempts = new Attempts(patience);
    let transfer;
    for (;;) {
        let link;
        try {
            link = await DataLink.open(http, signal);
            const ready = await link.begin({ op: 'upload', ...place, size, mode, resume: transfer });
            transfer = ready.transfer;
            attempts.reached(ready.offset);
            for (let at = ready.offset; at < size; onProgress?.({ bytes: at, totalBytes: size }))
                at += await link.send(at, data.slice(at));
            return await link.done();
        }
        catch (error) {
            const isGone = transfer !== undefined && error instanceof CodeBeakerError && error.code === 'NOT_FOUND';
            // Nothing is left to go on with; or all of it had come, and the word of that was lost.
            if (isGone)
                transfer = undefined;
            await attempts.after(isGone ? connectionLost() : error);
        }
        finally {
            link?.close();
        }
    }
}
/**
 * A file, or a part of it, piece by piece. Over a connection that is made again it goes on behind the last piece.
 * @throws {CodeBeakerError} CONFLICT where it has changed meanwhile
 */
export async function* download(http, { patience, ...place }, { offset = 0, length, onProgress, signal }) {
    const attempts = new Attempts(patience);
    let at = offset;
    let version;
    for (;;) {
        let link;
        try {
            link = await DataLink.open(http, signal);
            const left = length && offset + length - at;
            const ready = await link.begin({ op: 'download', ...place, offset: at, length: left });
            version ??= ready.version;
            if (version !== ready.version)
                throw new CodeBeakerError('CONFLICT', `${place.path} has changed while it was read`);
            attempts.reached(at);
            for await (const piece of link.pieces()) {
                at += piece.byteLength;
                attempts.reached(at);
                onProgress?.({ bytes: at, totalBytes: ready.size });
                yield piece;
            }
            return;
        }
        catch (error) {
            await attempts.after(error);
        }
        finally {
            link?.close();
        }
    }
}
/** For how long a transfer is begun once more. */
class Attempts {
    #patience;
    #deadline = 0;
    #farthest = -1;
    /** Whether it came farther since the last loss. */
    #hasMoved = false;
    #tries = 0;
    constructor(patience) {
        this.#patience = patience;
    }
    reached(offset) {
        if (offset <= this.#farthest)
            return;
        this.#farthest = offset;
        this.#hasMoved = true;
        this.#tries = 0;
    }
    /** Resolves when it may be tried once more. @throws the error, where that does not help */
    async after(error) {
        // The time runs from the loss; what never began is not tried again.
        if (this.#hasMoved)
            this.#deadline = Date.now() + this.#patience;
        this.#hasMoved = false;
        if (!isUnanswered(error) || Date.now() >= this.#deadline)
            throw error;
        await pause(this.#tries++);
    }
}
