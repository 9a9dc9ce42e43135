import { Type } from '@sinclair/typebox';
import { Encoding } from '../schemas/execution.ts';
import { LongText } from '../schemas/long-text.ts';
import { closed, oneOf } from '../schemas/shapes.ts';
import { release } from '../wire/release.ts';
import { defineCommand } from './command.ts';
import { decodeContent } from './content.ts';
import { path } from './fields.ts';
import { fileIn } from './paths.ts';

export const writeFile = defineCommand({
  type: 'write_file',
  summary: 'Writes a file and its parent directories',
  params: closed({
    path,
    content: Type.String({ description: 'What is written' }),
    mode: Type.Optional(
      oneOf(['Create', 'Append'], 'Create (default): in the place of what is there; Append: behind it'),
    ),
    encoding: Type.Optional({ ...Encoding, description: 'Of content; default: utf8' }),
  }),
  result: Type.Object({
    path: Type.String({ description: 'Absolute, below /workspace' }),
    bytes: Type.Integer({ description: 'Bytes written' }),
  }),
  async run({ path, mode, encoding = 'utf8', ...more }, { files }) {
    const content = more.content as string | LongText;
    const target = fileIn(path, 'path');
    const data = decodeContent(content, encoding, 'content');
    const bytes = data.byteLength;
    await files.write(target, data, { append: mode === 'Append' });
    release(content instanceof LongText ? content.whole : data);
    return { result: { path: target, bytes } };
  },
});
