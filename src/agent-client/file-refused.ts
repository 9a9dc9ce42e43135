import { FileRefused, FileSkipped } from '../sandbox.ts';
import type { FailedMessage } from '../wire/messages.ts';

/** Longest sentence that is kept, characters. */
const MAX_MESSAGE = 8192;

/** The agent's failure of a file operation as the service tells it. */
export function fileRefused({ reason, message }: FailedMessage): FileRefused | FileSkipped {
  if (reason === 'skipped') return new FileSkipped(message.slice(0, MAX_MESSAGE));
  return new FileRefused(message.slice(0, MAX_MESSAGE), reason === 'not_found' ? 'refused' : reason);
}
