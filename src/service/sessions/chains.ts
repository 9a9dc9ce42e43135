import type { CommandRequest } from '../../commands/index.ts';
import { LIMITS } from '../../schemas/limits.ts';

/** Commands that a sandbox does one after the other without being waited for: none of them has an answer that comes in pieces. */
const CHAINED: ReadonlySet<CommandRequest['type']> = new Set([
  'write_file',
  'create_directory',
  'copy_file',
  'move_file',
  'delete_file',
  'stat',
]);
/** Most commands of a chain, and characters of what they write together: they are on their way at once. */
const MOST = 128;
const MOST_CHARACTERS = 256 * 1024;
/** UTF-8 takes at most three bytes for a character of a string. */
const BYTES_OF_CHARACTER = 3;

/** How many commands from `from` on can be sent to the sandbox at once. */
export function chainLength(commands: readonly CommandRequest[], from: number): number {
  let [length, characters] = [0, 0];
  while (length < MOST) {
    const command = commands[from + length];
    if (!command || !CHAINED.has(command.type)) break;
    const own = command.type === 'write_file' ? command.params.content.length : 0;
    characters += own;
    if (own * BYTES_OF_CHARACTER > LIMITS.chainedBytes || characters > MOST_CHARACTERS) break;
    length++;
  }
  return length;
}
