import { type Static, Type } from '@sinclair/typebox';
import { listDirectory as command } from '../../../src/commands/list-directory.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { defineTool, failure, inSession, sessionId, text } from './tool.ts';

const { path, recursive, pattern, includeHidden, maxDepth } = command.params.properties;
type Listed = Static<typeof command.result>;

export const listFiles = defineTool({
  name: 'list_files',
  title: 'List files',
  description: 'Lists a directory of a sandbox below /workspace, with the sizes of files.',
  input: closed({
    path: { ...path, description: 'Below /workspace, or relative to it' },
    sessionId,
    recursive: { ...recursive, description: 'Default: false' },
    pattern,
    includeHidden,
    maxDepth,
  }),
  output: Type.Object({ ...inSession, ...command.result.properties }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ sessionId, ...params }, use) {
    const ran = await use.run({ sessionId, type: 'list_directory', params });
    if (ran.result === null) return failure(ran);
    const result = ran.result as Listed;
    const lines = result.entries.map(({ type, path, size }) =>
      type === 'file' ? `${path} (${size} bytes)` : `${path} (${type})`,
    );
    return {
      content: [text(lines.join('\n') || `${result.path} is empty`)],
      structured: { ...ran.session, ...result },
      failed: false,
    };
  },
});
