import { FileRefused } from '../sandbox.ts';
import { LIMITS } from '../schemas/limits.ts';
import { CAUSE_IN_WORDS } from '../schemas/outcome.ts';
import type { CommandContext, RunResult } from './command.ts';

/** Most bytes of a diff, and of what came of a patch: what one read of a file may have. */
export const MAX_ANSWER_BYTES = LIMITS.readBytes;

/** Exit code of a tool that has said why it could not do its work. */
const REFUSED = 1;
/** Of that sentence, characters. */
const MAX_SENTENCE = 8192;

/** Runs a subcommand of the agent that answers or says why not. @throws {FileRefused} with its sentence, or the limit's */
export async function toolAnswer(
  context: CommandContext,
  words: readonly string[],
  stdin: string,
  { anyway = false } = {},
): Promise<RunResult> {
  const answer = await context.runTool({ words, stdin, maxOutputBytes: MAX_ANSWER_BYTES, anyway });
  const { outcome, exitCode, stderr, truncated } = answer;
  if (outcome === 'ok' && !truncated) return answer;
  if (outcome === 'ok') throw new FileRefused('The answer is larger than can be held at the moment');
  const sentence = stderr.slice(0, MAX_SENTENCE).trim();
  // A full disk may be the reason for the tool's own sentence, which says more.
  if (exitCode === REFUSED && sentence) throw new FileRefused(sentence);
  throw new FileRefused(CAUSE_IN_WORDS[outcome] ?? 'The program that does this was ended');
}
