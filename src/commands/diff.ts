import { Type } from '@sinclair/typebox';
import { diffWords } from '../agent/artifact.ts';
import { invalid } from '../errors.ts';
import { FileRefused } from '../sandbox.ts';
import { jsonBytes } from '../schemas/json-bytes.ts';
import { closed, oneOf } from '../schemas/shapes.ts';
import { validator } from '../schemas/validate.ts';
import { defineCommand } from './command.ts';
import { path } from './fields.ts';
import { workspacePath } from './paths.ts';
import { MAX_ANSWER_BYTES, toolAnswer } from './tool-answer.ts';

/** Control characters take six bytes each. */
const MOST_JSON_BYTES = 2 * MAX_ANSWER_BYTES;

const Counts = Type.Object({
  added: Type.Integer({ minimum: 0, description: 'Lines, of text files' }),
  removed: Type.Integer({ minimum: 0, description: 'Lines, of text files' }),
  identical: Type.Boolean({ description: 'The two do not differ' }),
  binary: Type.Boolean({
    description:
      'A file is not UTF-8 text; where it differs, the diff holds all of it as a binary patch of git',
  }),
});
const countsOf = validator(Counts);

export const diff = defineCommand({
  type: 'diff',
  summary: 'Tells two files, texts or directories apart, in the unified format; directories as git does',
  params: closed({
    originalPath: Type.Optional(path),
    originalContent: Type.Optional(Type.String({ description: 'Instead of originalPath' })),
    modifiedPath: Type.Optional(path),
    modifiedContent: Type.Optional(Type.String({ description: 'Instead of modifiedPath' })),
    contextLines: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        default: 3,
        description: 'Lines around each change that are shown as well',
      }),
    ),
    format: Type.Optional(oneOf(['unified'], 'The only one there is')),
  }),
  result: Type.Object({
    diff: Type.String({ description: 'What git apply and patch read; empty where nothing differs' }),
    ...Counts.properties,
  }),
  async run({ contextLines = 3, ...params }, context) {
    const original = versionOf('original', params.originalPath, params.originalContent);
    const modified = versionOf('modified', params.modifiedPath, params.modifiedContent);
    const words = diffWords({ contextLines, maxBytes: MAX_ANSWER_BYTES, original, modified });
    const stdin = (params.originalContent ?? '') + (params.modifiedContent ?? '');
    const { stdout, stderr } = await toolAnswer(context, words, stdin);
    if (jsonBytes(stdout) > MOST_JSON_BYTES)
      throw new FileRefused(`The diff is more than ${MOST_JSON_BYTES} bytes as JSON`);
    return { result: { diff: stdout, ...counts(stderr) } };
  },
});

function versionOf(side: 'original' | 'modified', path: string | undefined, content: string | undefined) {
  if (path !== undefined && content !== undefined)
    throw invalid(`${side}Content`, `given beside ${side}Path: one of the two is compared`);
  if (path !== undefined) return { path: workspacePath(path, `${side}Path`) };
  if (content !== undefined) return { bytes: Buffer.byteLength(content) };
  throw invalid(`${side}Path`, `missing, as is ${side}Content`);
}

/** The tool runs beside programs that may have got the better of it. */
function counts(line: string) {
  try {
    return countsOf(JSON.parse(line));
  } catch {
    throw new FileRefused('The program that does this was disturbed');
  }
}
