import { type Static, Type } from '@sinclair/typebox';
import { writeFile as command } from '../../../src/commands/write-file.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { defineTool, failure, inSession, sessionId, text } from './tool.ts';

const { path, content, mode, encoding } = command.params.properties;
type Written = Static<typeof command.result>;

export const writeFile = defineTool({
  name: 'write_file',
  title: 'Write a file',
  description:
    'Writes a file of a sandbox below /workspace, and its parent directories, for code and commands to use.',
  input: closed({
    path,
    content,
    sessionId,
    mode: {
      ...mode,
      description: 'Create (default) puts it in the place of a file that is there; Append adds to it',
    },
    encoding,
  }),
  output: Type.Object({ ...inSession, ...command.result.properties }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  async run({ sessionId, ...params }, use) {
    const ran = await use.run({ sessionId, type: 'write_file', params });
    if (ran.result === null) return failure(ran);
    const result = ran.result as Written;
    return {
      content: [text(`${result.path}: ${result.bytes} bytes written`)],
      structured: { ...ran.session, ...result },
      failed: false,
    };
  },
});
