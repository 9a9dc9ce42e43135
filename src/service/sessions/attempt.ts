import type { Command, CommandContext, CommandOutcome } from '../../commands/command.ts';
import { type CommandRequest, commands } from '../../commands/index.ts';
import { renamed, ServiceError } from '../../errors.ts';
import { FileRefused, ProgramNotFound, SandboxLost } from '../../sandbox.ts';
import { KernelFailed } from '../kernels/kernel-client.ts';

const byType = new Map<string, Command>(commands.map(command => [command.type, command]));

/** Runs a command. A failure of the command is its outcome; a failure of the service is thrown. */
export async function attempt(
  request: CommandRequest,
  context: CommandContext,
): Promise<CommandOutcome<unknown>> {
  try {
    return await byType.get(request.type)!.run(request.params, context);
  } catch (error) {
    return outcomeOf(error, request);
  }
}

/** A failure of the command as its outcome. @throws a failure of the service */
export function outcomeOf(error: unknown, { at }: CommandRequest): CommandOutcome<unknown> {
  if (error instanceof FileRefused || error instanceof ProgramNotFound || error instanceof KernelFailed)
    return { result: null, error: error.message };
  if (error instanceof SandboxLost) return { result: null, error: `The sandbox was lost: ${error.message}` };
  // Commands name their own fields; `at` is the path to them in the client's request.
  if (error instanceof ServiceError && error.field)
    throw renamed(error, at ? `${at}.${error.field}` : error.field);
  throw error;
}
