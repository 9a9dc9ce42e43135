import { key } from './key.js';
import { isCode, service, wordsOf } from './service.js';
/** Idle sessions of a tab that nobody looks at end after this, minutes. */
const IDLE_MINUTES = 20;
/** The one session of this page, opened when it is first needed. It ends with the page. */
export class PageSession {
    #changed;
    #open;
    #id;
    /** @param changed is called when there is another session, or none any more */
    constructor(changed) {
        this.#changed = changed;
        addEventListener('pagehide', () => this.#leave());
    }
    get isOpen() {
        return this.#open !== undefined;
    }
    /** The session; one of another language is closed for it. */
    get(language) {
        if (this.#open?.language === language)
            return this.#open.session;
        this.close();
        const session = service().session({ language, idleTimeoutMinutes: IDLE_MINUTES });
        const open = { language, session };
        this.#open = open;
        session.then(({ id }) => {
            if (this.#open === open)
                this.#id = id;
        }, () => this.#forget(open));
        this.#changed();
        return session;
    }
    /** An error in words. A session that is gone is forgotten. */
    explain(error) {
        if (!isCode(error, 'SESSION_NOT_FOUND') && !isCode(error, 'SESSION_CLOSED'))
            return wordsOf(error);
        this.#forget(this.#open);
        return 'The session has ended, and what it held is gone: the next run opens another one';
    }
    close() {
        this.#open?.session.then(session => session.close()).catch(() => { });
        this.#forget(this.#open);
    }
    #forget(open) {
        if (!this.#open || this.#open !== open)
            return;
        this.#open = undefined;
        this.#id = undefined;
        this.#changed();
    }
    /** A page that is left may send one more request, and waits for no answer. */
    #leave() {
        if (this.#id === undefined)
            return;
        const url = new URL(`api/session/${encodeURIComponent(this.#id)}`, document.baseURI);
        const given = key();
        const headers = given === undefined ? {} : { authorization: `Bearer ${given}` };
        fetch(url, { method: 'DELETE', headers, keepalive: true }).catch(() => { });
        this.#forget(this.#open);
    }
}
