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
    #events = [];
    #end;
    #wake = () => { };
    /** @param isRead whether anybody reads events; else they are not kept */
    constructor(isRead) {
        this.#isRead = isRead;
        // Who does not ask how it ended needs no word of it.
        this.ended.catch(() => { });
    }
    get hasEnded() {
        return this.#end !== undefined;
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
        if (this.#end)
            return;
        this.#beginning.resolve();
        if (event.type !== 'lost')
            this.executionId = event.executionId;
        if (this.#isRead)
            this.#events.push(event);
        if (event.type === 'completed')
            this.end();
        this.#wake();
    }
    /** @param error what keeps it from being followed; events that came before are still read */
    end(error) {
        if (this.#end)
            return;
        this.#end = error === undefined ? {} : { error };
        this.#beginning.resolve();
        if (error === undefined)
            this.#ending.resolve();
        else
            this.#ending.reject(error);
        this.#wake();
    }
    async *[Symbol.asyncIterator]() {
        for (;;) {
            const events = this.#events;
            this.#events = [];
            yield* events;
            if (this.#events.length > 0)
                continue;
            if (this.#end) {
                if ('error' in this.#end)
                    throw this.#end.error;
                return;
            }
            await new Promise(resolve => {
                this.#wake = resolve;
            });
        }
    }
}
