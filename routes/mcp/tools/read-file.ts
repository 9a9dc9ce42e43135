import { type Static, Type } from '@sinclair/typebox';
import { readFile as command } from '../../../src/commands/read-file.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { pictureIn } from '../images.ts';
import { defineTool, failure, inSession, sessionId, text } from './tool.ts';

const { path, encoding, offset, length } = command.params.properties;
type Content = Static<typeof command.result>;

export const readFile = defineTool({
  name: 'read_file',
  title: 'Read a file',
  description:
    'Reads a file of a sandbox, or a part of it, below /workspace. A picture (PNG, JPEG, GIF, WebP) comes back as one to look at; ' +
    'other bytes that are not text come as base64.',
  input: closed({
    path,
    sessionId,
    encoding,
    offset: { ...offset, description: 'Of the first byte' },
    length: { ...length, description: 'Most bytes' },
  }),
  output: Type.Object({ ...inSession, ...command.result.properties }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ sessionId, ...params }, use) {
    const ran = await use.run({ sessionId, type: 'read_file', params });
    if (ran.result === null) return failure(ran);
    const result = ran.result as Content;
    const picture = result.encoding === 'base64' ? pictureIn(result.content) : null;
    const content = [picture ?? text(result.content)];
    return { content, structured: { ...ran.session, ...result }, failed: false };
  },
});
