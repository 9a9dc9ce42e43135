import { Type } from '@sinclair/typebox';
import { CellError, MimeBundle } from '../schemas/cell.ts';
import { outputEncoding, StdoutEncoding } from '../schemas/execution.ts';
import { LIMITS } from '../schemas/limits.ts';
import { named } from '../schemas/named.ts';
import { CAUSE_IN_WORDS, Outcome, Usage } from '../schemas/outcome.ts';
import { PackageList } from '../schemas/packages.ts';
import { closed, nullable } from '../schemas/shapes.ts';
import { type CellResult, defineCommand, outputOf } from './command.ts';
import { durationMs, exitCode, printed, Started, timeout } from './fields.ts';

export const DEFAULT_CONTEXT = 'default';
export const contextName = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 128,
    default: DEFAULT_CONTEXT,
    description: 'One of several interpreters',
  }),
);

export const executeCode = defineCommand({
  type: 'execute_code',
  aliases: ['execute'],
  summary: 'Runs a cell in an interpreter that keeps its state',
  params: closed({
    code: Type.String({ minLength: 1, maxLength: LIMITS.codeLength, description: 'Source of the cell' }),
    language: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "Name or alias; default: the session's" }),
    ),
    timeout,
    memoryLimit: Type.Optional(
      Type.Integer({ minimum: LIMITS.minMemoryMB, description: "MB, not above the session's" }),
    ),
    stdin: Type.Optional(Type.String({ description: 'What the cell reads from standard input' })),
    stdoutEncoding: StdoutEncoding,
    context: contextName,
    background: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Answer at once; its end is a notification, and its limits are those of any cell',
      }),
    ),
    packages: Type.Optional(PackageList),
  }),
  result: Type.Union([
    named(
      'CellResult',
      Type.Object(
        {
          exitCode,
          ...printed,
          ...outputEncoding,
          outcome: Outcome,
          results: Type.Array(MimeBundle, { description: 'Rich results, in order; the last is the value' }),
          error: nullable(CellError),
          executionCount: Type.Integer({ description: 'Counts the cells of the context' }),
          durationMs,
          usage: Usage,
        },
        { description: 'What a cell came to' },
      ),
    ),
    Started,
  ]),
  async run(params, context) {
    if (params.packages?.length) {
      const { packages: list, language } = params;
      const outcome = await context.installPackages({
        list,
        field: 'packages',
        language,
        timeout: undefined,
      });
      if ('failed' in outcome) return notInstalled(outcome.failed);
    }
    const running = context.runCell({
      code: params.code,
      language: params.language,
      context: params.context ?? DEFAULT_CONTEXT,
      stdin: params.stdin,
      timeout: { asked: params.timeout, byDefault: LIMITS.timeoutSeconds },
      memoryLimit: params.memoryLimit,
      stdoutEncoding: params.stdoutEncoding,
    });
    if (!params.background) return outcomeOf(await running);
    context.goOn(running.then(outcomeOf));
    return { result: { commandId: context.commandId, executionId: context.executionId } };
  },
});

/** Nothing of the cell has run. */
function notInstalled({ sentence, reason, words }: { sentence: string; reason: string; words: string }) {
  return { result: null, error: `${sentence} (${reason})${words && `\n${words}`}` };
}

function outcomeOf(runResult: CellResult) {
  const { exitCode, outcome, durationMs, usage } = runResult;
  const { results, error, executionCount, resultBytes } = runResult;
  const sentence = inWords(runResult);
  return {
    result: {
      exitCode,
      ...outputOf(runResult),
      outcome,
      results: [...results],
      error,
      executionCount,
      durationMs,
      usage,
    },
    runResult,
    cell: { results, error, executionCount, resultBytes },
    ...(sentence !== null && { error: sentence }),
  };
}

/** Why a cell did not succeed, in a sentence; null when it did. */
function inWords({ outcome, error, exitCode, signal, stateLost }: CellResult): string | null {
  const gone = stateLost ? '; the interpreter was restarted and its state is gone' : '';
  const limit = CAUSE_IN_WORDS[outcome];
  if (limit) return limit + gone;
  if (error) return (error.message ? `${error.name}: ${error.message}` : error.name) + gone;
  // A cell may end its interpreter as a program may end itself.
  if (outcome === 'ok') return null;
  if (stateLost) return `The interpreter ended (${signal ?? `exit code ${exitCode}`})${gone}`;
  return signal ? `The program was ended by ${signal}` : `The program ended with exit code ${exitCode}`;
}
