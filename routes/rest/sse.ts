import type { EventStream } from '../../src/service/service.ts';

const COMMENT_MS = 15_000;
const QUIET = Symbol('quiet');

/**
 * Formats events as an event stream. A comment at the start confirms the connection, and one every 15 s keeps
 * it open. Pulling is the back-pressure. Ends with the events, or when `gone` is aborted.
 */
export async function* sse(stream: EventStream, gone: AbortSignal): AsyncGenerator<string> {
  const { firstAvailable } = stream;
  yield firstAvailable === null
    ? ': connected\n\n'
    : `: events before ${firstAvailable} are no longer kept\n\n`;
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
      const { method, params } = event.value;
      yield `id: ${params.seq}\nevent: ${method.replace('execution.', '')}\ndata: ${JSON.stringify(params)}\n\n`;
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
