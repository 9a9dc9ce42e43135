import { CodeBeakerError, isUnanswered } from './codebeaker-error.ts';
import { blocksOf } from './event-blocks.ts';
import { eventOf, LOST_BEFORE, openEvents } from './event-stream.ts';
import type { Http } from './http.ts';
import type { RunEvent } from './inbox.ts';
import { Link } from './link.ts';
import { pause } from './pause.ts';

interface Asked {
  readonly sessionId: string;
  /** The number of an event; those behind it are told. */
  readonly after: number;
  /** Whether it goes on with what comes. */
  readonly follow: boolean;
  /** For how long a connection is tried to be made again, milliseconds. */
  readonly patience: number;
}

interface Attached {
  readonly lastSeq: number;
  readonly firstAvailable: number | null;
}

/** What the commands of a session tell, over server-sent events. A stream that breaks off is asked for again. */
export async function* sessionEvents(
  http: Http,
  { sessionId, after, follow, patience }: Asked,
): AsyncGenerator<RunEvent, void> {
  const path = `/api/session/${encodeURIComponent(sessionId)}/events`;
  const end = follow ? Number.POSITIVE_INFINITY : await lastSeq(http, sessionId);
  let last = after;
  let deadline = Date.now() + patience;
  let hasBegun = false;
  for (let tries = 0; last < end; tries++) {
    try {
      const body = await openEvents(http, path, last);
      hasBegun = true;
      if (!body) return;
      for await (const block of blocksOf(body)) {
        deadline = Date.now() + patience;
        tries = 0;
        const first = Number(LOST_BEFORE.exec(block)?.[1] ?? 0);
        if (first > last + 1) {
          yield { type: 'lost', count: first - last - 1 };
          last = first - 1;
        }
        const event = eventOf(block);
        if (event) {
          last = event.seq;
          yield event;
        }
        if (last >= end) return;
      }
    } catch (error) {
      // The session that was followed has ended.
      if (hasBegun && error instanceof CodeBeakerError && error.code === 'SESSION_NOT_FOUND') return;
      if (!isUnanswered(error) && error instanceof CodeBeakerError) throw error;
      if (Date.now() > deadline) throw error;
    }
    await pause(tries);
  }
}

/** The number of the last event that it has told, and that is kept; else 0. */
async function lastSeq(http: Http, sessionId: string): Promise<number> {
  const link = await Link.open(http, () => {});
  try {
    const { lastSeq, firstAvailable } = await link.call<Attached>('session.attach', { sessionId });
    return (firstAvailable ?? 0) > lastSeq ? 0 : lastSeq;
  } finally {
    link.close();
  }
}
