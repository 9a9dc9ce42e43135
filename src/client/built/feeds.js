import { CodeBeakerError, isUnanswered } from './codebeaker-error.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';
import { pause } from './pause.js';
import { runStatus } from './run-status.js';
/** Connections that are tried when each is lost before anything was asked. */
const TRIES = 5;
/**
 * Follows what runs in sessions, all over one connection. One that is lost while something runs is made again, and goes on
 * behind the last event that came, so that none is missed and none comes twice.
 */
export class Feeds {
    #http;
    /** For how long a lost connection is tried to be made again, milliseconds. */
    #patience;
    #feeds = new Map();
    #link;
    /** What that has come to. */
    #current;
    constructor(http, patience) {
        this.#http = http;
        this.#patience = patience;
    }
    /**
     * Starts a command in the background, or with its standard input open, which is not served there. What it tells comes into
     * the inbox.
     */
    async start(sessionId, command, { interactive, isRead }) {
        const feed = this.#feedOf(sessionId);
        const link = await this.#follow(feed);
        const inbox = new Inbox(isRead);
        const id = newId();
        feed.inboxes.set(id, inbox);
        const forget = () => feed.inboxes.delete(id);
        inbox.ended.then(forget, forget);
        const how = interactive ? { stream: true } : {};
        const params = { sessionId, ...how, command: { ...command, id, background: !interactive } };
        const asked = link.call('session.execute', params);
        try {
            await Promise.race([asked, inbox.begun]);
            // An answer may be late: what began has an id already.
            inbox.executionId ??= idIn(await asked);
        }
        catch (error) {
            await this.#doubt(feed, inbox, error);
        }
        asked.catch(() => { });
        return { executionId: inbox.executionId, inbox };
    }
    async call(method, params) {
        return (await this.#connected()).call(method, params);
    }
    /** The session ends: nothing new will be followed, and what ran is told its end. */
    forget(sessionId) {
        const inboxes = this.#feeds.get(sessionId)?.inboxes.values() ?? [];
        void Promise.allSettled([...inboxes].map(({ ended }) => ended)).then(() => this.#feeds.delete(sessionId));
    }
    close() {
        const error = new CodeBeakerError('CONNECTION_LOST', 'The client was closed');
        for (const { inboxes } of this.#feeds.values())
            for (const inbox of inboxes.values())
                inbox.end(error);
        this.#feeds.clear();
        this.#link?.then(link => link.close(), () => { });
        this.#link = undefined;
    }
    /** Whether a command began whose answer was lost is told by its events. @throws the error, if they say nothing of it */
    async #doubt(feed, inbox, error) {
        try {
            if (isLost(error) && !inbox.hasEnded)
                await this.#follow(feed);
            if (inbox.executionId === undefined)
                throw error;
        }
        catch (cause) {
            inbox.end(cause);
            throw cause;
        }
    }
    #feedOf(sessionId) {
        let feed = this.#feeds.get(sessionId);
        if (!feed) {
            feed = {
                sessionId,
                lastSeq: 0,
                isDoubtful: false,
                on: undefined,
                inboxes: new Map(),
                onEvent: () => { },
            };
            this.#feeds.set(sessionId, feed);
        }
        return feed;
    }
    /** Resolves when all that the session has told until now has come. Where the connection is lost meanwhile, nothing was asked yet. */
    async #follow(feed) {
        for (let tries = 1;; tries++) {
            const link = await this.#connected();
            try {
                await this.#caughtUp(feed, link);
                return link;
            }
            catch (error) {
                if (!isLost(error) || tries === TRIES)
                    throw error;
            }
        }
    }
    async #caughtUp(feed, link) {
        if (feed.on?.link !== link)
            feed.on = { link, caughtUp: this.#attach(feed, link) };
        const { on } = feed;
        try {
            await on.caughtUp;
        }
        catch (error) {
            if (feed.on === on)
                feed.on = undefined;
            throw error;
        }
    }
    async #attach(feed, link) {
        const { sessionId } = feed;
        let from = 0;
        const params = { sessionId, afterSeq: feed.lastSeq };
        const { lastSeq } = await link.call('session.attach', params, ({ afterSeq, firstAvailable }) => {
            from = firstAvailable ?? afterSeq + 1;
            if (firstAvailable !== null)
                lose(feed, firstAvailable);
        });
        if (from <= lastSeq)
            await this.#upTo(lastSeq, feed, link);
        if (feed.isDoubtful)
            void this.#endLost(feed, link);
    }
    /** Resolves when the event of that number has come. */
    async #upTo(lastSeq, feed, link) {
        const { promise, resolve } = Promise.withResolvers();
        feed.onEvent = () => {
            if (feed.lastSeq >= lastSeq)
                resolve();
        };
        feed.onEvent();
        await Promise.race([promise, link.lost]);
    }
    /** Ends the runs whose end is lost, when all has come that is kept of them. Where the connection is lost meanwhile, the next one sees to it. */
    async #endLost(feed, link) {
        const all = await Promise.all([...feed.inboxes.values()].map(inbox => this.#isOver(inbox)));
        const over = all.filter(inbox => inbox !== undefined);
        try {
            if (over.length > 0) {
                const params = { sessionId: feed.sessionId, afterSeq: feed.lastSeq };
                const { lastSeq } = await link.call('session.attach', params);
                await this.#upTo(lastSeq, feed, link);
            }
        }
        catch (error) {
            if (isLost(error))
                return;
            // The session is gone, and more won't come.
        }
        feed.isDoubtful = false;
        for (const inbox of over)
            inbox.end();
    }
    /** The inbox, where its run is over. */
    async #isOver(inbox) {
        if (inbox.executionId === undefined)
            return undefined;
        try {
            const { completedAt } = await runStatus(this.#http, inbox.executionId, this.#patience);
            return completedAt === null ? undefined : inbox;
        }
        catch (error) {
            // Its events may still come.
            if (!isUnanswered(error))
                inbox.end(error);
            return undefined;
        }
    }
    #connected() {
        this.#link ??= this.#connect();
        return this.#link;
    }
    /** Tries again only where something runs. */
    async #connect() {
        const deadline = Date.now() + this.#patience;
        for (let tries = 0;; tries++) {
            try {
                const link = await Link.open(this.#http, (...told) => this.#take(...told));
                await Promise.all(this.#awaited().map(feed => this.#resume(feed, link)));
                link.lost.catch(() => this.#lost(link));
                this.#current = link;
                return link;
            }
            catch (error) {
                if (this.#awaited().length === 0 || Date.now() > deadline) {
                    this.#link = undefined;
                    for (const { inboxes } of this.#awaited())
                        for (const inbox of inboxes.values())
                            inbox.end(error);
                    throw error;
                }
                await pause(tries);
            }
        }
    }
    #awaited() {
        return [...this.#feeds.values()].filter(({ inboxes }) => inboxes.size > 0);
    }
    async #resume(feed, link) {
        try {
            await this.#caughtUp(feed, link);
        }
        catch (error) {
            if (isLost(error))
                throw error;
            // The session is gone.
            for (const inbox of feed.inboxes.values())
                inbox.end(error);
        }
    }
    #lost(link) {
        if (this.#current !== link)
            return;
        this.#link = undefined;
        if (this.#awaited().length > 0)
            this.#connected().catch(() => { });
    }
    #take(method, params) {
        const { sessionId, commandId, seq } = params;
        const feed = this.#feeds.get(sessionId);
        if (!feed || seq === undefined || seq <= feed.lastSeq)
            return;
        feed.lastSeq = seq;
        const type = method.replace('execution.', '');
        feed.inboxes.get(commandId)?.push({ type, ...params });
        feed.onEvent();
    }
}
/** Tells those that follow a session what it has not kept for them. */
function lose(feed, firstAvailable) {
    const count = firstAvailable - feed.lastSeq - 1;
    for (const inbox of feed.inboxes.values())
        inbox.push({ type: 'lost', count });
    feed.lastSeq = firstAvailable - 1;
    feed.isDoubtful = true;
}
function idIn({ success, result, error }) {
    if (!success)
        throw new CodeBeakerError('COMMAND_FAILED', error, result ?? {});
    return result.executionId;
}
const isLost = (error) => error instanceof CodeBeakerError && error.code === 'CONNECTION_LOST';
/** An id that no other client has; a page without TLS has no randomUUID. */
function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}
