import type { EventStream, StatusMessage } from '../../src/service/service.ts';

const COMMENT_MS = 15_000;
const QUIET = Symbol('quiet');
const CONNECTED = ': connected\n\n';

/** A run's or session's events as an event stream. */
export function sse(stream: EventStream, gone: AbortSignal): AsyncGenerator<string> {
  const { firstAvailable, lastSeq } = stream;
  const first =
    firstAvailable === null
      ? CONNECTED
      : `: events before ${firstAvailable} are no longer kept, the last is ${lastSeq}\n\n`;
  return formatted(stream, gone, first, ({ method, params }) =>
    eventText(params.seq, method.replace('execution.', ''), params),
  );
}

/** What happens as an event stream. */
export function statusSse(messages: AsyncIterable<StatusMessage>, gone: AbortSignal): AsyncGenerator<string> {
  return formatted(messages, gone, CONNECTED, ({ id, event: { method, params } }) =>
    eventText(id, method, params),
  );
}

function eventText(id: string | number | null, event: string, data: object): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * Events as text. A comment at the start confirms the connection, and one every 15 s keeps it open. Pulling is
 * the back-pressure. Ends with the events, or when `gone` is aborted.
 */
async function* formatted<T>(
  stream: AsyncIterable<T>,
  gone: AbortSignal,
  first: string,
  format: (event: T) => string,
): AsyncGenerator<string> {
  yield first;
  const events = stream[Symbol.asyncIterator]();
  try {
    let next = events.next();
    while (!gone.aborted) {
      const event = await within(COMMENT_MS, next);
      if (event === QUIET) {
        yield ': still here\n\n';
        continue;
      }
      if (event.done) return;
      yield format(event.value);
      next = events.next();
    }
  } finally {
    await events.return?.();
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | typeof QUIET> {
  const quiet = Promise.withResolvers<typeof QUIET>();
  const timer = setTimeout(() => quiet.resolve(QUIET), ms);
  try {
    return await Promise.race([promise, quiet.promise]);
  } finally {
    clearTimeout(timer);
  }
}
