import { Unread } from './unread.js';
/**
 * What came of one run and was not taken yet, for one reader. All that comes is held until it is read: as much as the service lets
 * a program print.
 */
export class Inbox {
    /** Known from the first event, or from the answer. */
    executionId;
    #isRead;
    #beginning = Promise.withResolvers();
    #ending = Promise.withResolvers();
    #unread = new Unread();
    #hasEnded = false;
    /** @param isRead whether anybody reads events; else they are not kept */
    constructor(isRead) {
        this.#isRead = isRead;
        // Who does not ask how it ended needs no word of it.
        this.ended.catch(() => { });
    }
    get hasEnded() {
        return this.#hasEnded;
    }
    /** Resolves when the run has begun, or can't be followed. */
    get begun() {
        return this.#beginning.promise;
    }
    /** Resolves when the run has ended; rejects where that can't be followed any more. */
    get ended() {
        return this.#ending.promise;
    }
    push(event) {
        if (this.#hasEnded)
            return;
        this.#beginning.resolve();
        if (event.type !== 'lost')
            this.executionId = event.executionId;
        if (this.#isRead)
            this.#unread.push([event]);
        if (event.type === 'completed')
            this.end();
    }
    /** @param error what keeps it from being followed; events that came before are still read */
    end(error) {
        if (this.#hasEnded)
            return;
        this.#hasEnded = true;
        this.#unread.end(error === undefined ? {} : { error });
        this.#beginning.resolve();
        if (error === undefined)
            this.#ending.resolve();
        else
            this.#ending.reject(error);
    }
    [Symbol.asyncIterator]() {
        return this.#unread[Symbol.asyncIterator]();
    }
}
