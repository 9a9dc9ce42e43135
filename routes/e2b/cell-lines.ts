import type { ExecutionEvent } from '../../src/schemas/events.ts';
import type { EventStream } from '../../src/service/service.ts';
import { asciiText } from './ascii-text.ts';
import { StreamCut } from './process-streams.ts';
import { resultLine } from './result-line.ts';
import { withSilences } from './with-silences.ts';

/** A sign of life after so long without anything, milliseconds: proxies close what is silent for a minute. */
const SILENCE_MS = 20_000;
const KEEPALIVE = { type: 'keepalive' };

type Completed = Extract<ExecutionEvent, { method: 'execution.completed' }>['params'];
type Output = Extract<ExecutionEvent, { method: 'execution.output' }>['params'];

/** What ended a cell, where nothing of the program's says so. */
const NAMES: Partial<Record<NonNullable<Completed['outcome']>, string>> = {
  wall_timeout: 'TimeoutError',
  cpu_timeout: 'TimeoutError',
  memory_limit: 'MemoryError',
};

/**
 * What came of a cell, a line of JSON each. A line that is empty would end the answer for their clients, and each piece of the answer
 * is decoded by itself, which only ASCII survives. `isGone`: its sandbox ends, and it with that.
 * @throws {StreamCut}
 */
export async function* cellLines(
  events: EventStream,
  isGone: () => Promise<boolean>,
): AsyncGenerator<Buffer> {
  // Clients wait for the answer to begin for less time than for its end.
  yield line(KEEPALIVE);
  for await (const event of withSilences(events, SILENCE_MS)) {
    if (event === null) yield line(KEEPALIVE);
    else if (event.method === 'execution.output') yield line(outputLine(event.params));
    else if (event.method === 'execution.result')
      yield line(resultLine(event.params.mimeBundle, event.params.isValue === true));
    else if (event.method === 'execution.completed') {
      const { params } = event;
      const isCut = params.status === 'cancelled' || params.outcome === 'sandbox_lost';
      if (isCut && (await isGone())) throw new StreamCut();
      const error = errorLine(params);
      if (error) yield line(error);
      const { executionCount } = params;
      if (executionCount !== undefined)
        yield line({ type: 'number_of_executions', execution_count: executionCount });
      return;
    }
  }
  throw new StreamCut();
}

/** Bytes that are no text are told as what stands for them. */
function outputLine({ stream, text, data }: Output): object {
  const told = text ?? Buffer.from(data ?? '', 'base64').toString('utf8');
  return { type: stream, text: told, timestamp: new Date().toISOString() };
}

/** The exception that ended it, or why it ended otherwise; null where it came to its end. */
function errorLine({ status, outcome, error, message }: Completed): object | null {
  if (error) return { type: 'error', name: error.name, value: error.message, traceback: error.traceback };
  // A program of a shell says by its exit code what went wrong, and E2B's tells no more of it.
  if (status === 'completed' || outcome === 'ok' || outcome === 'nonzero_exit') return null;
  const value = message ?? 'The cell was ended';
  return { type: 'error', name: (outcome && NAMES[outcome]) ?? 'ExecutionError', value, traceback: value };
}

function line(content: object): Buffer {
  return asciiText(`${JSON.stringify(content)}\n`);
}
