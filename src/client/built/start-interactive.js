import { Inbox } from './inbox.js';
import { Link } from './link.js';
/**
 * Starts a program whose standard input stays open, over a connection of its own, which ends it when it is lost. Resolves when it has
 * begun to tell something. @throws the signal's reason, if that comes before
 */
export async function startInteractive(http, request, signal) {
    const inbox = new Inbox(true);
    const link = await Link.open(http, (method, params) => inbox.push({ type: method.replace('execution.', ''), ...params }));
    const leave = () => link.close();
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted)
        leave();
    link
        .call('execution.run', { ...request, stream: true })
        .then(({ executionId }) => {
        inbox.executionId ??= executionId;
        inbox.end();
    }, error => inbox.end(error))
        .finally(leave);
    await inbox.begun;
    // From now on the run itself is cancelled, and tells its end.
    signal?.removeEventListener('abort', leave);
    const { executionId } = inbox;
    if (executionId === undefined) {
        signal?.throwIfAborted();
        await inbox.ended;
    }
    const call = (method, params) => link.call(method, params);
    return { executionId: executionId, inbox, call };
}
