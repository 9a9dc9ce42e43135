import { CodeBeakerError, saidOf, unanswered } from './codebeaker-error.js';
/** The service over HTTP. */
export class Http {
    /** Without a slash at its end. */
    url;
    key;
    constructor(url, key) {
        this.url = url.replace(/\/+$/, '');
        this.key = key;
    }
    /** @throws {CodeBeakerError} for every status that is an error, and where there is no answer */
    async ask(method, path, { body, headers, signal } = {}) {
        const isStream = body instanceof ReadableStream;
        const isBytes = isStream || body instanceof Uint8Array || body instanceof Blob;
        const sent = {
            ...(this.key && { authorization: `Bearer ${this.key}` }),
            ...(body !== undefined && {
                'content-type': isBytes ? 'application/octet-stream' : 'application/json',
            }),
            ...headers,
        };
        const content = isBytes ? body : JSON.stringify(body);
        let response;
        try {
            const init = { method, headers: sent, signal: signal ?? null };
            if (body !== undefined)
                init.body = content;
            // https://fetch.spec.whatwg.org/#dom-requestinit-duplex: a body of unknown length must say so.
            if (isStream)
                Object.assign(init, { duplex: 'half' });
            response = await fetch(`${this.url}${path}`, init);
        }
        catch (error) {
            if (signal?.aborted)
                throw signal.reason;
            throw unanswered(method, this.url, error);
        }
        if (!response.ok)
            throw await this.#whole(method, response, errorOf);
        return response;
    }
    async json(method, path, asking) {
        return this.whole(method, path, response => response.json(), asking);
    }
    /** A method of JSON-RPC that needs no connection of its own. */
    async call(method, params) {
        const body = { jsonrpc: '2.0', id: 1, method, params };
        const { result, error } = await this.json('POST', '/api/jsonrpc', { body });
        if (error)
            throw saidOf(error);
        return result;
    }
    /** An answer up to its end, taken by `take`. @throws {CodeBeakerError} also where it is cut off */
    async whole(method, path, take, asking) {
        return this.#whole(method, await this.ask(method, path, asking), take);
    }
    async #whole(method, response, take) {
        try {
            return await take(response);
        }
        catch (error) {
            throw unanswered(method, this.url, error);
        }
    }
}
async function errorOf(response) {
    const text = await response.text();
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfter = Number.isNaN(after) ? undefined : after;
    try {
        const said = JSON.parse(text);
        return new CodeBeakerError(said.code, said.message, { ...said, retryAfter });
    }
    catch {
        // Something in between answered, such as a proxy.
        return new CodeBeakerError('UNREACHABLE', `HTTP ${response.status}: ${text.slice(0, 200)}`, {
            retryAfter,
        });
    }
}
