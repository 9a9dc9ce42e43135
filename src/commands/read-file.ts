import { Type } from '@sinclair/typebox';
import { Encoding } from '../schemas/execution.ts';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { encodeContent } from './content.ts';
import { path } from './fields.ts';
import { fileIn } from './paths.ts';

const count = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

export const readFile = defineCommand({
  type: 'read_file',
  summary: 'Reads a file, or a part of it',
  params: closed({ path, encoding: Type.Optional(Encoding), offset: count, length: count }),
  result: Type.Object({ content: Type.String(), bytes: Type.Integer(), encoding: Encoding }),
  async run({ path, encoding = 'utf8', offset, length }, { files }) {
    const { data } = await files.read(fileIn(path, 'path'), {
      ...(offset !== undefined && { offset }),
      ...(length !== undefined && { length }),
    });
    return { result: { content: encodeContent(data, encoding), bytes: data.byteLength, encoding } };
  },
});
