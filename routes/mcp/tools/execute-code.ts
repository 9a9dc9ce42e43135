import { type Static, Type } from '@sinclair/typebox';
import { executeCode as command } from '../../../src/commands/execute-code.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { picturesOf } from '../images.ts';
import { DEFAULT_LANGUAGE, defineTool, failure, inSession, onLines, sessionId, text } from './tool.ts';

const { code, timeout, stdin, context } = command.params.properties;
/** Of a cell that was waited for. */
const [cell] = command.result.anyOf;
type Cell = Static<typeof cell>;

export const executeCode = defineTool({
  name: 'execute_code',
  title: 'Run code',
  description:
    'Runs code in a sandbox and returns what it prints, the value of its last expression and its figures. Variables, imports and ' +
    'files in /workspace stay from call to call. For Python: matplotlib figures come back as pictures. There is no network.',
  input: closed({
    code,
    language: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: `Default: ${DEFAULT_LANGUAGE}, or that of the session in sessionId`,
      }),
    ),
    sessionId,
    context,
    stdin,
    timeout,
  }),
  output: Type.Object({ ...inSession, ...cell.properties }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async run({ sessionId, language, ...params }, use) {
    const named = sessionId === undefined ? (language ?? DEFAULT_LANGUAGE) : language;
    const ran = await use.run({
      sessionId,
      language: named,
      type: 'execute_code',
      params: { ...params, ...(named !== undefined && { language: named }) },
    });
    if (ran.result === null) return failure(ran);
    const result = ran.result as Cell;
    const shown = result.results.map(picturesOf);
    return {
      content: [text(inWords(result, shown, ran.error)), ...shown.flatMap(({ pictures }) => pictures)],
      structured: { ...ran.session, ...result, results: shown.map(({ rest }) => rest) },
      failed: !ran.success,
    };
  },
});

function inWords(
  { stdout, stderr, error, usage }: Cell,
  shown: ReturnType<typeof picturesOf>[],
  why: string | null,
) {
  const values = shown.filter(({ pictures }) => pictures.length === 0).map(({ rest }) => rest['text/plain']);
  const parts = [
    stdout,
    stderr && `stderr:\n${stderr}`,
    ...values.filter(value => typeof value === 'string'),
    error?.traceback || why,
    usage.limitsHit.includes('output') && '(some of its output was left out)',
  ];
  return onLines(parts) || (shown.length > 0 ? '(see the pictures)' : '(no output)');
}
