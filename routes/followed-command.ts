import type { CommandResult } from '../src/commands/command-result.ts';
import type { CommandRequest } from '../src/commands/index.ts';
import type { ExecutionEvent } from '../src/schemas/events.ts';
import type { Call } from '../src/service/call.ts';
import type { EventStream, ExecuteOptions, Sessions, TakenCommand } from '../src/service/service.ts';

/** Is told what happens while a command runs; resolves when there is room for more. */
export type Tell = (event: ExecutionEvent) => Promise<void>;

/** Runs a command and tells its events while it runs: all of them before this resolves, at the pace of their reader. */
export async function followedCommand(
  sessions: Sessions,
  { sessionId, command, call }: { sessionId: string; command: CommandRequest; call: Call },
  tell: Tell,
  options: Pick<ExecuteOptions, 'interactive' | 'onStarted' | 'onTaken'> = {},
): Promise<CommandResult> {
  const over = new AbortController();
  const reader = { ...call, signal: AbortSignal.any([call.signal, over.signal]) };
  let taken: TakenCommand | undefined;
  let telling = Promise.resolve();
  const isOwn = ({ params }: ExecutionEvent) => params.executionId === taken?.executionId;
  try {
    const { result, completedSeq } = await sessions.execute(sessionId, command, call, {
      ...options,
      stream: true,
      onTaken: names => {
        taken = names;
        options.onTaken?.(names);
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
    // With a reason of its own, as an error's stack is not to be had for nothing.
    over.abort('over');
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
    await tell(event);
  }
}
