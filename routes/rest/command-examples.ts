import { EXAMPLES, exampleReply } from '../../src/commands/examples.ts';
import { commands } from '../../src/commands/index.ts';

/** What is answered to each of {@link COMMAND_EXAMPLES}. */
export const REPLY_EXAMPLES = Object.fromEntries(
  commands.map(({ type }) => [type, { value: exampleReply(type) }]),
);

/** A request's body for each command, by the command's name, as OpenAPI lists examples of a media type. */
export const COMMAND_EXAMPLES = Object.fromEntries(
  Object.entries(EXAMPLES).map(([type, { fields }]) => [
    type,
    {
      summary: `${type}: ${commands.find(command => command.type === type)?.summary}`,
      value: { command: { type, ...fields } },
    },
  ]),
);
