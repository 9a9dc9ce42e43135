import { followRun } from './event-stream.js';
import { Feeds } from './feeds.js';
import { Http } from './http.js';
import { Run, resultOf, untilLeft } from './run.js';
import { Session } from './session.js';
import { startInteractive } from './start-interactive.js';
const URL_BY_DEFAULT = 'http://127.0.0.1:5039';
const PATIENCE_SECONDS = 60;
const MS = 1000;
/** A client of CodeBeaker. It needs `fetch` and, for what runs in sessions, `WebSocket`. */
export class CodeBeaker {
    #http;
    #feeds;
    #patience;
    constructor({ url = URL_BY_DEFAULT, key, patience = PATIENCE_SECONDS } = {}) {
        this.#http = new Http(url, key);
        this.#patience = patience * MS;
        this.#feeds = new Feeds(this.#http, this.#patience);
    }
    /** Runs a program once, in a sandbox of its own. One that fails is a result too. */
    async run(request, { signal } = {}) {
        return resultOf(await this.#start(request, { isRead: false, signal }), signal);
    }
    /** Runs a program once and gives what it tells, as it comes. Leaving the loop ends it. */
    async *stream(request) {
        yield* untilLeft(await this.start(request));
    }
    /**
     * Starts a program, once, in a sandbox of its own. With `interactive`, `input()` feeds its standard input; it then has a connection
     * of its own, and ends with that.
     */
    async start(request, { interactive = false, signal } = {}) {
        if (!interactive)
            return this.#start(request, { isRead: true, signal });
        signal?.throwIfAborted();
        const { executionId, ...parts } = await startInteractive(this.#http, request, signal);
        return new Run(executionId, { ...parts, http: this.#http, patience: this.#patience, signal });
    }
    /** A program that was started before, also by another client. */
    follow(executionId) {
        return this.#run(executionId, { isRead: true });
    }
    /** Opens a session; `await using` closes it. */
    async session(config) {
        const { sessionId } = await this.#http.json('POST', '/api/session', { body: config });
        return this.attach(sessionId);
    }
    /** A session that is there already. */
    attach(sessionId) {
        return new Session(sessionId, { http: this.#http, feeds: this.#feeds, patience: this.#patience });
    }
    /** The sessions of this key. */
    async *sessions() {
        for (let cursor = ''; cursor !== null;) {
            const path = `/api/session${cursor && `?cursor=${cursor}`}`;
            const page = await this.#http.json('GET', path);
            yield* page.sessions;
            cursor = page.nextCursor;
        }
    }
    languages() {
        return this.#http.json('GET', '/api/language');
    }
    /** Ends its connection; sessions and what runs in them go on. */
    close() {
        this.#feeds.close();
    }
    [Symbol.dispose]() {
        this.close();
    }
    async #start(request, { isRead, signal }) {
        signal?.throwIfAborted();
        const { executionId } = await this.#http.json('POST', '/api/execution', {
            body: request,
        });
        return this.#run(executionId, { isRead, signal });
    }
    #run(executionId, { isRead, signal }) {
        const inbox = followRun(this.#http, { executionId, isRead, patience: this.#patience });
        const call = (method, params) => this.#feeds.call(method, params);
        return new Run(executionId, { inbox, http: this.#http, call, patience: this.#patience, signal });
    }
}
