import type { CommandResult } from '../../src/commands/command-result.ts';
import type { CommandRequest } from '../../src/commands/index.ts';
import type { ExecutionEvent } from '../../src/schemas/events.ts';
import type { Call } from '../../src/service/call.ts';
import type { Sessions } from '../../src/service/service.ts';
import { followedCommand } from '../followed-command.ts';

/** Tells a client something of what it waits for; resolves when there is room for more. */
export type Tell = (message: string) => Promise<void>;

/** Runs a command and tells what it prints while it runs: all of it before this resolves, at the pace of its reader. */
export function told(
  sessions: Sessions,
  sessionId: string,
  command: CommandRequest,
  call: Call,
  tell: Tell,
): Promise<CommandResult> {
  return followedCommand(sessions, { sessionId, command, call }, async event => {
    const message = inWords(event);
    if (message !== null) await tell(message);
  });
}

function inWords({ method, params }: ExecutionEvent): string | null {
  if (method === 'execution.progress') return params.message;
  if (method !== 'execution.output') return null;
  return params.text ?? `(${Buffer.byteLength(params.data ?? '', 'base64')} bytes of ${params.stream})`;
}
