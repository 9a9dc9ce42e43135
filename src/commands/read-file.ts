import { Type } from '@sinclair/typebox';
import { ServiceError } from '../errors.ts';
import { Encoding } from '../schemas/execution.ts';
import { jsonBytes } from '../schemas/json-bytes.ts';
import { LIMITS } from '../schemas/limits.ts';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { encodeContent, isText } from './content.ts';
import { fileIn } from './paths.ts';

const count = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));
/** Most bytes of a content as JSON. */
const MOST_JSON_BYTES = 2 * LIMITS.readBytes;

export const readFile = defineCommand({
  type: 'read_file',
  summary: 'Reads a file, or a part of it',
  params: closed({
    path: Type.String(),
    encoding: Type.Optional({
      ...Encoding,
      description: 'Without it utf8, or base64 where the bytes are not UTF-8 or mostly control characters',
    }),
    offset: count,
    length: count,
  }),
  result: Type.Object({ content: Type.String(), bytes: Type.Integer(), encoding: Encoding }),
  async run({ path, encoding: asked, offset, length }, { files }) {
    const { data } = await files.read(fileIn(path, 'path'), {
      ...(offset !== undefined && { offset }),
      ...(length !== undefined && { length }),
    });
    const encoding = asked ?? (isText(data) ? 'utf8' : 'base64');
    const content = encodeContent(data, encoding);
    if (encoding === 'utf8' && jsonBytes(content) > MOST_JSON_BYTES) {
      const message = `encoding: more than ${MOST_JSON_BYTES} bytes of JSON as utf8; ask for base64 or a part`;
      throw new ServiceError('PAYLOAD_TOO_LARGE', message, { field: 'encoding' });
    }
    return { result: { content, bytes: data.byteLength, encoding } };
  },
});
