import { unreachable } from './codebeaker-error.js';
/** For how long a server may take to answer, milliseconds. */
const OPENING_MS = 30_000;
/** Opens a WebSocket of the service. @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
export async function openSocket({ url, key }, path, signal) {
    signal?.throwIfAborted();
    const socket = started(`${url.replace(/^http/, 'ws')}${path}`, key);
    socket.binaryType = 'arraybuffer';
    const { promise, resolve, reject } = Promise.withResolvers();
    const late = () => reject(unreachable(url, new Error(`nothing came for ${OPENING_MS / 1000} s`)));
    const timer = setTimeout(late, OPENING_MS);
    const leave = () => reject(signal.reason);
    signal?.addEventListener('abort', leave, { once: true });
    socket.onopen = () => resolve();
    // What is wrong, no WebSocket says.
    socket.onerror = event => reject(unreachable(url, event.error ?? event));
    socket.onclose = () => reject(unreachable(url, null));
    try {
        await promise;
    }
    catch (error) {
        socket.close();
        throw error;
    }
    finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        socket.onopen = socket.onclose = null;
        socket.onerror = () => { };
    }
    return socket;
}
/** Servers' runtimes send a key as a header. A web page can't, and offers it among its subprotocols. */
function started(url, key) {
    if (key === undefined)
        return new WebSocket(url);
    const withHeaders = WebSocket;
    try {
        return new withHeaders(url, { headers: { authorization: `Bearer ${key}` } });
    }
    catch {
        return new WebSocket(url, ['codebeaker', `codebeaker.key.${base64url(key)}`]);
    }
}
function base64url(text) {
    const bytes = Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte));
    return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
