import { CodeBeakerError, isUnanswered } from './codebeaker-error.js';
import { Link } from './link.js';
import { pause } from './pause.js';
import { Unread } from './unread.js';
/** Events that wait for their reader; beyond them it is told that some are lost. */
const MOST_WAITING = 10_000;
/**
 * What a session tells, over a connection of its own, which is made again where it is lost. Resolves when it is told; who does not read
 * up to the end leaves by `return()`, as a loop does.
 */
export async function told(http, asked) {
    const events = follow(http, asked);
    // It stands at its beginning.
    await events.next();
    return events;
}
async function* follow(http, asked) {
    const { patience, signal } = asked;
    let [hasBegun, isOpen] = [false, false];
    let deadline = 0;
    for (let tries = 0;; tries++) {
        let link;
        const leave = () => link?.close();
        signal?.addEventListener('abort', leave, { once: true });
        try {
            const waiting = new Unread(MOST_WAITING, asked.overflow);
            const take = (method, params) => waiting.push(asked.read(method, params));
            link = await Link.open(http, take, signal);
            link.lost.catch(error => waiting.end({ error }));
            await link.call(asked.method, asked.params, answer => waiting.push(asked.begin(answer, hasBegun)));
            const isFirst = !hasBegun;
            hasBegun = isOpen = true;
            tries = 0;
            if (isFirst)
                yield undefined;
            for await (const event of waiting) {
                yield event;
                if (asked.isLast(event))
                    return;
            }
        }
        catch (error) {
            signal?.throwIfAborted();
            // The session that was followed has ended.
            if (hasBegun && error instanceof CodeBeakerError && error.code === 'SESSION_NOT_FOUND')
                return;
            // The time runs from the loss.
            if (isOpen)
                deadline = Date.now() + patience;
            isOpen = false;
            if (!isUnanswered(error) || Date.now() >= deadline)
                throw error;
        }
        finally {
            signal?.removeEventListener('abort', leave);
            link?.close();
        }
        await pause(tries);
    }
}
