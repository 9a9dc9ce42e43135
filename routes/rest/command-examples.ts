import { commands } from '../../src/commands/index.ts';

type CommandType = (typeof commands)[number]['type'];

/** One command of each type, as a client sends it. In this order they work in a new session. */
const FIELDS: Readonly<Record<CommandType, object>> = {
  execute_code: { code: 'x = 10\nx * 2' },
  write_file: { path: 'data/numbers.txt', content: '1\n2\n39\n' },
  read_file: { path: 'data/numbers.txt' },
  execute_shell: { commandName: 'wc', args: ['-l', 'data/numbers.txt'] },
  list_directory: { path: 'data' },
  stat: { path: 'data/numbers.txt' },
  diff: { originalPath: 'data/numbers.txt', modifiedContent: '1\n2\n40\n' },
  apply_patch: {
    patch: '--- a/data/numbers.txt\n+++ b/data/numbers.txt\n@@ -1,3 +1,3 @@\n 1\n 2\n-39\n+40\n',
  },
  create_directory: { path: 'results' },
  copy_file: { sourcePath: 'data/numbers.txt', destinationPath: 'results/copy.txt' },
  move_file: { sourcePath: 'results/copy.txt', destinationPath: 'results/moved.txt' },
  delete_file: { path: 'results', recursive: true },
  restart_context: {},
};

/** A request's body for each command, by the command's name, as OpenAPI lists examples of a media type. */
export const COMMAND_EXAMPLES = Object.fromEntries(
  Object.entries(FIELDS).map(([type, fields]) => [
    type,
    {
      summary: `${type}: ${commands.find(command => command.type === type)?.summary}`,
      value: { command: { type, ...fields } },
    },
  ]),
);
