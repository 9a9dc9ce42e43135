import { CodeBeakerError, isUnanswered } from './codebeaker-error.ts';
import { blocksOf, SILENCE_MS, within } from './event-blocks.ts';
import type { Http } from './http.ts';
import { Inbox, type RunEvent } from './inbox.ts';
import { pause } from './pause.ts';
import { runStatus } from './run-status.ts';

/** Told of events that are not kept any more: the first and the last that are. */
export const LOST_BEFORE = /^: events before (\d+) .* (\d+)$/;
const LINE_END = /\r?\n/;

/** What is followed, and by whom. */
interface Following {
  readonly executionId: string;
  /** Of a command: its session, whose events it is among. */
  readonly sessionId?: string;
  /** Whether anybody reads events. */
  readonly isRead: boolean;
  /** For how long in vain, milliseconds. */
  readonly patience: number;
}

/**
 * Follows a run over server-sent events. A stream that breaks off is asked for again, behind the last event that came.
 */
export function followRun(http: Http, following: Following): Inbox {
  const inbox = new Inbox(following.isRead);
  follow(http, following, inbox).catch(error => inbox.end(error));
  return inbox;
}

/** How far it was read. */
interface Place {
  /** The number of the last event that came, or is lost. */
  last: number;
  /** Of a run that is over and lost events: the last number that may be its. */
  end: number;
  /** Whether the service answered since it was last asked. */
  isOpen: boolean;
}

async function follow(http: Http, following: Following, inbox: Inbox): Promise<void> {
  const { patience } = following;
  const at: Place = { last: 0, end: Number.POSITIVE_INFINITY, isOpen: false };
  let deadline = Date.now() + patience;
  for (let tries = 0; !inbox.hasEnded; tries++) {
    const before = at.last;
    at.isOpen = false;
    try {
      await readOn(http, following, { inbox, at });
    } catch (error) {
      if (error instanceof CodeBeakerError && !isUnanswered(error)) throw error;
      if (!at.isOpen && Date.now() > deadline) throw error;
    }
    // It runs from the loss: a program may be silent for longer.
    if (at.isOpen) deadline = Date.now() + patience;
    if (at.last !== before) tries = 0;
    if (!inbox.hasEnded) await pause(tries);
  }
}

/** Reads until the run or the stream has ended. */
async function readOn(
  http: Http,
  { executionId, sessionId }: Following,
  { inbox, at }: { inbox: Inbox; at: Place },
): Promise<void> {
  // Its end may be among what is lost of its session.
  const isOver = sessionId !== undefined && (await runStatus(http, executionId, 0)).completedAt !== null;
  const path =
    sessionId === undefined
      ? `/api/execution/${encodeURIComponent(executionId)}`
      : `/api/session/${encodeURIComponent(sessionId)}`;
  const body = await openEvents(http, `${path}/events`, at.last);
  at.isOpen = true;
  if (!body) return inbox.end();
  for await (const block of blocksOf(body)) {
    const [, first = 0, last = 0] = (LOST_BEFORE.exec(block) ?? []).map(Number);
    if (first > at.last + 1) {
      inbox.push({ type: 'lost', count: first - at.last - 1 });
      at.last = first - 1;
      if (isOver) at.end = last;
    }
    const event = eventOf(block);
    if (event) at.last = event.seq;
    if (event?.executionId === executionId) inbox.push(event);
    if (at.last >= at.end) inbox.end();
    if (inbox.hasEnded) return;
  }
}

/**
 * Asks for the events behind that number; null: there will be none. @throws {CodeBeakerError}
 */
export async function openEvents(
  http: Http,
  path: string,
  last: number,
): Promise<ReadableStream<Uint8Array> | null> {
  const headers = last > 0 ? { 'last-event-id': String(last) } : {};
  const tooLate = new AbortController();
  const asked = http.ask('GET', path, { headers, signal: tooLate.signal });
  try {
    const response = await within(SILENCE_MS, asked);
    return response.status === 204 ? null : response.body!;
  } catch (error) {
    asked.catch(() => {});
    tooLate.abort(error);
    throw error;
  }
}

export function eventOf(block: string): Exclude<RunEvent, { type: 'lost' }> | null {
  const fields = new Map(
    block.split(LINE_END).map(line => {
      const at = line.indexOf(': ');
      return [line.slice(0, at), line.slice(at + 2)];
    }),
  );
  const data = fields.get('data');
  return data === undefined ? null : { type: fields.get('event'), ...JSON.parse(data) };
}
