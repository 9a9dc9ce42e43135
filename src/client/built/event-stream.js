import { CodeBeakerError } from './codebeaker-error.js';
import { Inbox } from './inbox.js';
import { pause } from './pause.js';
const LOST_BEFORE = /^: events before (\d+) /;
const LINE_END = /\r?\n/;
/**
 * Follows a run over server-sent events. A stream that breaks off is asked for again, behind the last event that came.
 */
export function followRun(http, following) {
    const inbox = new Inbox(following.isRead);
    follow(http, following, inbox).catch(error => inbox.end(error));
    return inbox;
}
async function follow(http, following, inbox) {
    const { patience } = following;
    const at = { last: 0 };
    let deadline = Date.now() + patience;
    for (let tries = 0; !inbox.hasEnded; tries++) {
        const before = at.last;
        try {
            await readOn(http, following, { inbox, at });
        }
        catch (error) {
            const refused = error instanceof CodeBeakerError && error.code !== 'UNREACHABLE';
            if (refused || (Date.now() > deadline && at.last === before))
                throw error;
        }
        if (at.last !== before) {
            tries = 0;
            deadline = Date.now() + patience;
        }
        if (!inbox.hasEnded)
            await pause(tries);
    }
}
/** Reads until the run or the stream has ended. */
async function readOn(http, { executionId, sessionId }, { inbox, at }) {
    // Its end may be among what is lost of its session.
    const isOver = sessionId !== undefined && (await statusOf(http, executionId)).completedAt !== null;
    const path = sessionId === undefined
        ? `/api/execution/${encodeURIComponent(executionId)}`
        : `/api/session/${encodeURIComponent(sessionId)}`;
    const headers = { ...(at.last > 0 && { 'last-event-id': String(at.last) }) };
    const response = await http.ask('GET', `${path}/events`, { headers });
    if (response.status === 204)
        return inbox.end();
    for await (const block of blocksOf(response.body)) {
        const lost = Number(LOST_BEFORE.exec(block)?.[1] ?? 0) - at.last - 1;
        if (lost > 0)
            inbox.push({ type: 'lost', count: lost });
        if (lost > 0 && isOver)
            return inbox.end();
        const event = eventOf(block);
        if (!event)
            continue;
        at.last = event.seq;
        if (event.executionId === executionId)
            inbox.push(event);
        if (inbox.hasEnded)
            return;
    }
}
/** The blocks of an event stream, which an empty line ends each. */
async function* blocksOf(body) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let text = '';
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done)
                return;
            text += decoder.decode(value, { stream: true });
            const blocks = text.split('\n\n');
            text = blocks.pop();
            yield* blocks;
        }
    }
    finally {
        await reader.cancel().catch(() => { });
    }
}
const statusOf = (http, id) => http.json('GET', `/api/execution/${encodeURIComponent(id)}`);
function eventOf(block) {
    const fields = new Map(block.split(LINE_END).map(line => {
        const at = line.indexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)];
    }));
    const data = fields.get('data');
    return data === undefined ? null : { type: fields.get('event'), ...JSON.parse(data) };
}
