import { isUtf8 } from 'node:buffer';
import { Type } from '@sinclair/typebox';
import { ServiceError } from '../errors.ts';
import { Encoding } from '../schemas/execution.ts';
import { jsonBytesOfUtf8, MOST_BYTES_OF_ONE } from '../schemas/json-bytes.ts';
import { LIMITS } from '../schemas/limits.ts';
import { LongText } from '../schemas/long-text.ts';
import { closed, oneOf } from '../schemas/shapes.ts';
import { release } from '../wire/release.ts';
import { defineCommand } from './command.ts';
import { asText, encodeContent } from './content.ts';
import { path } from './fields.ts';
import { fileIn } from './paths.ts';

const count = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));
/** Most bytes of a content as JSON. */
const MOST_JSON_BYTES = 2 * LIMITS.readBytes;

export const readFile = defineCommand({
  type: 'read_file',
  summary:
    'Reads a file, or a part of it; bytes that are not UTF-8 come as base64, and fail where utf8 is asked',
  params: closed({
    path,
    encoding: Type.Optional({
      ...Encoding,
      description: 'Without it utf8, or base64 where the bytes are not UTF-8 or mostly control characters',
    }),
    offset: count('Bytes of the file before the part that is read; default: 0'),
    length: count('Bytes of the part that is read; default: to the end'),
  }),
  result: Type.Object({
    content: Type.String({ description: 'The file, or the part that was asked for' }),
    bytes: Type.Integer({ description: 'Bytes read' }),
    encoding: oneOf(['utf8', 'base64'], 'Of content'),
  }),
  async run({ path, encoding: asked, offset, length }, { files, takesLongTexts }) {
    const file = fileIn(path, 'path');
    const { data } = await files.read(file, {
      ...(offset !== undefined && { offset }),
      ...(length !== undefined && { length }),
    });
    if (asked === 'utf8' && !isUtf8(data)) return { result: null, error: notUtf8(file, data, offset ?? 0) };
    if (asked === 'utf8' && !jsonFits(data)) {
      const message = `encoding: more than ${MOST_JSON_BYTES} bytes of JSON as utf8; ask for base64 or a part`;
      throw new ServiceError('PAYLOAD_TOO_LARGE', message, { field: 'encoding' });
    }
    const bytes = data.byteLength;
    const long = takesLongTexts && asked !== 'base64' && isUtf8(data) ? LongText.of(data) : null;
    // Where it is taken, it is taken for a string.
    if (long) return { result: { content: long as unknown as string, bytes, encoding: 'utf8' as const } };
    const text = asked === undefined ? asText(data) : null;
    const encoding = asked ?? (text === null ? 'base64' : 'utf8');
    const content = text ?? encodeContent(data, encoding);
    release(data);
    return { result: { content, bytes, encoding } };
  },
});

/** Whether UTF-8 is no more as JSON than may be; what is not asked for as such is text only where it is. */
function jsonFits(data: Uint8Array): boolean {
  return MOST_BYTES_OF_ONE * data.byteLength <= MOST_JSON_BYTES || jsonBytesOfUtf8(data) <= MOST_JSON_BYTES;
}

function notUtf8(file: string, data: Uint8Array, offset: number): string {
  const at = firstInvalid(data);
  const byte = data[at]!.toString(16).padStart(2, '0');
  return `Not UTF-8: ${file} has 0x${byte} at byte ${offset + at}; read it with encoding "base64", or without encoding`;
}

/** Index of the first byte that belongs to no character. */
function firstInvalid(data: Uint8Array): number {
  const decoded = Buffer.from(Buffer.from(data).toString('utf8'), 'utf8');
  let [same, most] = [0, data.byteLength];
  while (same < most) {
    const middle = (same + most + 1) >> 1;
    if (decoded.subarray(same, middle).equals(data.subarray(same, middle))) same = middle;
    else most = middle - 1;
  }
  // U+FFFD may begin with the bytes that it replaces.
  while (!isUtf8(data.subarray(0, same))) same--;
  return same;
}
