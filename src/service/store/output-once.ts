import type { StreamName } from '../../sandbox.ts';
import type { ExecutionEvent } from '../../schemas/events.ts';
import type { StatusResponse } from '../../schemas/execution.ts';

/** Which characters of a stream an event of output was, in place of its text. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

type Output = Extract<ExecutionEvent, { method: 'execution.output' }>;
type PieceOfOutput = {
  readonly method: Output['method'];
  readonly params: Omit<Output['params'], 'text'> & Piece;
};

/** An event as it lies in the database. */
export type StoredEvent = ExecutionEvent | PieceOfOutput;

const STREAMS = ['stdout', 'stderr'] as const;

/**
 * The events without the output that the final state holds as well, which would otherwise be written twice before a client has
 * its answer. What the state lacks, beyond its limit or because it is no text, stays as it is.
 */
export function withOutputOnce(events: readonly ExecutionEvent[], status: StatusResponse): StoredEvent[] {
  const places = placesOfFirst(events, status);
  return events.map(event => {
    if (event.method !== 'execution.output' || event.params.text === undefined) return event;
    const { text, ...params } = event.params;
    const from = places[params.stream];
    const to = from + text.length;
    places[params.stream] = to;
    const held = status[params.stream].startsWith(text, from);
    return held ? { method: event.method, params: { ...params, from, to } } : event;
  });
}

/** The events with their output, also of a row whose events hold all of it. */
export function withOutput(events: readonly StoredEvent[], status: StatusResponse): ExecutionEvent[] {
  return events.map(event => {
    if (!('from' in event.params)) return event as ExecutionEvent;
    const { from, to, ...params } = event.params;
    return { method: 'execution.output', params: { ...params, text: status[params.stream].slice(from, to) } };
  });
}

/** Where the first event of each stream lies in it: behind what the log has dropped, counted as if a character had one byte. */
function placesOfFirst(
  events: readonly ExecutionEvent[],
  status: StatusResponse,
): Record<StreamName, number> {
  const places = { stdout: status.stdoutBytes ?? 0, stderr: status.stderrBytes ?? 0 };
  for (const event of events)
    if (event.method === 'execution.output') places[event.params.stream] -= bytesOf(event);
  for (const stream of STREAMS) places[stream] = Math.max(places[stream], 0);
  return places;
}

function bytesOf({ params: { text, data } }: Output): number {
  return text === undefined ? Buffer.byteLength(data ?? '', 'base64') : Buffer.byteLength(text);
}
