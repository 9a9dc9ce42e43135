const textOf = (value) => (typeof value === 'string' ? value : undefined);
/**
 * What was not done, and why. A program that fails is no error but a result. `code` is the service's, as
 * `SESSION_NOT_FOUND`, or one of three of the client's own: `UNREACHABLE`, `CONNECTION_LOST` (whether it was done is not known)
 * and `COMMAND_FAILED`.
 */
export class CodeBeakerError extends Error {
    name = 'CodeBeakerError';
    code;
    /** The field of the request that is wrong, where that came over a WebSocket; else `message` begins with it. */
    field;
    details;
    reason;
    /** Seconds after which trying again may help. */
    retryAfter;
    /** @param said what came with it; of that, what is known here is kept */
    constructor(code, message, said = {}) {
        super(message);
        const { field, details, reason, retryAfter } = said;
        this.code = code;
        this.field = textOf(field);
        this.details = textOf(details);
        this.reason = textOf(reason);
        this.retryAfter = typeof retryAfter === 'number' ? retryAfter : undefined;
    }
}
/** An error of JSON-RPC. */
export const saidOf = ({ message, data }) => new CodeBeakerError(data?.code ?? 'ERROR', message, data);
export const unreachable = (url, why) => new CodeBeakerError('UNREACHABLE', `No answer from ${url}: ${reasonOf(why)}`);
export const connectionLost = (why) => new CodeBeakerError('CONNECTION_LOST', `The connection was lost before the answer: whether it was done is not known${why === undefined ? '' : ` (${reasonOf(why)})`}`);
/** Of requests that were never sent: of Node.js and Deno, and of Bun. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'ConnectionRefused']);
/** What a request failed with that has no answer, or only a part of one. */
export function unanswered(method, url, why) {
    const { code, cause } = (why ?? {});
    const isDoubtful = method !== 'GET' && !NOT_SENT.has(cause?.code ?? code);
    return isDoubtful ? connectionLost(why) : unreachable(url, why);
}
/** Whether asking again may help: no answer came. */
export const isUnanswered = (error) => error instanceof CodeBeakerError && ['UNREACHABLE', 'CONNECTION_LOST'].includes(error.code);
/** Of a fetch that failed, the cause says more than it does. */
function reasonOf(error) {
    const { message, cause } = (error ?? {});
    return String(cause?.message || message || 'the connection failed');
}
