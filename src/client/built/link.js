import { connectionLost, saidOf } from './codebeaker-error.js';
import { openSocket } from './open-socket.js';
import { Silence } from './silence.js';
/** One WebSocket that speaks JSON-RPC. */
export class Link {
    #end = Promise.withResolvers();
    #socket;
    #tell;
    #waiting = new Map();
    #silence;
    #isOpen = true;
    #last = 0;
    constructor(socket, tell) {
        this.#socket = socket;
        this.#tell = tell;
        socket.onmessage = ({ data }) => {
            try {
                this.#take(String(data));
            }
            catch {
                // No server of ours says that.
                this.close();
            }
        };
        this.lost.catch(() => { });
        socket.onclose = () => this.#lost();
        const ask = () => void this.call('ping', {}).catch(() => { });
        this.#silence = new Silence(ask, () => this.close());
    }
    /** Rejects with CONNECTION_LOST when nothing more can come. */
    get lost() {
        return this.#end.promise;
    }
    /** @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
    static async open(http, tell, signal) {
        return new Link(await openSocket(http, '/ws/jsonrpc', signal), tell);
    }
    /** @param look sees the answer before anything that is told after it */
    call(method, params, look = () => { }) {
        return new Promise((resolve, failed) => {
            if (!this.#isOpen)
                return failed(connectionLost());
            const id = ++this.#last;
            const answered = (result) => {
                try {
                    look(result);
                    resolve(result);
                }
                catch (error) {
                    failed(connectionLost(error));
                }
            };
            this.#waiting.set(id, { answered, failed });
            this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        });
    }
    close() {
        this.#socket.close();
        // Where nobody answers any more, the socket would take its time.
        this.#lost();
    }
    #lost() {
        this.#isOpen = false;
        this.#socket.onmessage = null;
        this.#silence[Symbol.dispose]();
        for (const { failed } of this.#waiting.values())
            failed(connectionLost());
        this.#waiting.clear();
        this.#end.reject(connectionLost());
    }
    #take(text) {
        this.#silence.broken();
        const { id, method, params, result, error } = JSON.parse(text);
        if (method !== undefined)
            return this.#tell(method, params);
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (error)
            waiting?.failed(saidOf(error));
        else
            waiting?.answered(result);
    }
}
