import { runStatus } from './run-status.js';
/**
 * A program or cell that was started. What it tells is read by `for await`, once; leaving that early leaves it running.
 */
export class Run {
    /** Names it, for other clients as well. */
    id;
    #inbox;
    #http;
    #call;
    #patience;
    constructor(id, { inbox, http, call, patience, signal }) {
        this.id = id;
        this.#inbox = inbox;
        this.#http = http;
        this.#call = call;
        this.#patience = patience;
        if (signal)
            this.#obey(signal);
    }
    /** What it tells, from its start. */
    [Symbol.asyncIterator]() {
        return this.#inbox[Symbol.asyncIterator]();
    }
    /** Resolves when it has ended: how, and what it printed. */
    async result() {
        await this.#inbox.ended;
        return runStatus(this.#http, this.id, this.#patience);
    }
    /** Ends it, if it runs; resolves to how it ended. */
    cancel() {
        return this.#http.json('DELETE', `/api/execution/${encodeURIComponent(this.id)}`);
    }
    /** Types to a terminal, or writes to the standard input of a program that was started with `interactive`. `eof` ends it. */
    async input(data, { eof = false } = {}) {
        const text = typeof data === 'string' ? { data } : { data: toBase64(data), encoding: 'base64' };
        await this.#ask('process.input', { ...text, eof });
    }
    /** @param signal a name, such as SIGINT */
    async signal(signal) {
        await this.#ask('process.signal', { signal });
    }
    /** Gives its terminal another size. */
    async resize(cols, rows) {
        await this.#ask('process.resize', { cols, rows });
    }
    #obey(signal) {
        const cancel = () => void this.cancel().catch(() => { });
        if (signal.aborted)
            cancel();
        signal.addEventListener('abort', cancel, { once: true });
        const forget = () => signal.removeEventListener('abort', cancel);
        this.#inbox.ended.then(forget, forget);
    }
    /** A program that has not begun can't be asked for anything. */
    async #ask(method, params) {
        await this.#inbox.begun;
        await this.#call(method, { executionId: this.id, ...params });
    }
}
/** What a run tells; who leaves before its end ends it. */
export async function* untilLeft(run) {
    let isOver = false;
    try {
        yield* run;
        isOver = true;
    }
    finally {
        if (!isOver)
            await run.cancel().catch(() => { });
    }
}
/** How a run ended. @throws the signal's reason, if that ended it */
export async function resultOf(run, signal) {
    const result = await run.result();
    signal?.throwIfAborted();
    return result;
}
/** Bytes of a call to String.fromCharCode; too many are no arguments any more. */
const PIECE = 8192;
function toBase64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += PIECE)
        text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
    return btoa(text);
}
/** What an event of output brings, as it was printed. */
export function bytesOf({ text, data }) {
    if (data === undefined)
        return new TextEncoder().encode(text ?? '');
    return Uint8Array.from(atob(data), char => char.charCodeAt(0));
}
