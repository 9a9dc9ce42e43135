import type { CommandResult } from '../../src/commands/command-result.ts';
import type { CommandRequest } from '../../src/commands/index.ts';
import type { ExecutionEvent } from '../../src/schemas/events.ts';
import type { Call } from '../../src/service/call.ts';
import type { EventStream, Sessions, TakenCommand } from '../../src/service/service.ts';

/** Tells a client something of what it waits for; resolves when there is room for more. */
export type Tell = (message: string) => Promise<void>;

/** Runs a command and tells what it prints while it runs: all of it before this resolves, at the pace of its reader. */
export async function told(
  sessions: Sessions,
  sessionId: string,
  command: CommandRequest,
  call: Call,
  tell: Tell,
): Promise<CommandResult> {
  const over = new AbortController();
  const reader = { ...call, signal: AbortSignal.any([call.signal, over.signal]) };
  let taken: TakenCommand | undefined;
  let telling = Promise.resolve();
  const isOwn = ({ params }: ExecutionEvent) => params.executionId === taken?.executionId;
  try {
    const { result, completedSeq } = await sessions.execute(sessionId, command, call, {
      stream: true,
      onTaken: names => {
        taken = names;
      },
      async beforeStart() {
        telling = tellAll(await sessions.events(sessionId, reader, null), isOwn, tell);
        // Awaited below, or not any more.
        telling.catch(() => {});
      },
    });
    if (completedSeq !== null) await telling;
    return result;
  } finally {
    over.abort();
  }
}

async function tellAll(
  events: EventStream,
  isOwn: (event: ExecutionEvent) => boolean,
  tell: Tell,
): Promise<void> {
  for await (const event of events) {
    if (!isOwn(event)) continue;
    if (event.method === 'execution.completed') return;
    const message = inWords(event);
    if (message !== null) await tell(message);
  }
}

function inWords({ method, params }: ExecutionEvent): string | null {
  if (method === 'execution.progress') return params.message;
  if (method !== 'execution.output') return null;
  return params.text ?? `(${Buffer.byteLength(params.data ?? '', 'base64')} bytes of ${params.stream})`;
}
