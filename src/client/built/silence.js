/** Without a message for so long, the server is asked for a sign of life; without one for as long again, it is gone. */
const SILENCE_MS = 30_000;
/** Finds out that nobody answers any more on a connection that nobody has closed. */
export class Silence {
    #timer;
    #times = 0;
    /** @param ask for a sign of life @param gone called when none came */
    constructor(ask, gone) {
        this.#timer = setInterval(() => {
            this.#times++;
            if (this.#times > 1)
                gone();
            else
                ask();
        }, SILENCE_MS);
    }
    /** Something came. */
    broken() {
        this.#times = 0;
    }
    [Symbol.dispose]() {
        clearInterval(this.#timer);
    }
}
