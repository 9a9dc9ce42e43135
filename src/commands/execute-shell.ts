import { Type } from '@sinclair/typebox';
import { invalid } from '../errors.ts';
import { outputEncoding, StdoutEncoding } from '../schemas/execution.ts';
import { LIMITS } from '../schemas/limits.ts';
import { named } from '../schemas/named.ts';
import { Outcome, Usage } from '../schemas/outcome.ts';
import { closed, Environment } from '../schemas/shapes.ts';
import { terminalSize } from '../schemas/terminal-size.ts';
import { defineCommand, outputOf } from './command.ts';
import { durationMs, exitCode, printed, program, Started, signal, timeout } from './fields.ts';

export const executeShell = defineCommand({
  type: 'execute_shell',
  aliases: ['shell'],
  summary: 'Runs a program directly with its arguments; no shell sits in between',
  params: closed({
    commandName: Type.String({
      minLength: 1,
      maxLength: 4096,
      pattern: '^[^\\u0000]*$',
      description: 'The name of a program on PATH, or its path, without NUL characters',
    }),
    args: Type.Optional(
      Type.Array(program, { maxItems: 4096, description: 'Its arguments, as they are: nothing is expanded' }),
    ),
    workingDirectory: Type.Optional(Type.String({ description: 'Below /workspace; default: /workspace' })),
    environment: Type.Optional(Environment),
    stdin: Type.Optional(Type.String({ description: 'What the program reads from standard input' })),
    timeout,
    stdoutEncoding: StdoutEncoding,
    pty: Type.Optional(
      closed(
        terminalSize,
        'Runs it in a terminal of this size: stdout is what the terminal shows, process.input types and process.resize resizes it. ' +
          'Goes with background: true or stream: true, and without stdin',
      ),
    ),
    background: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Answer at once; without a timeout it may run as long as the session',
      }),
    ),
  }),
  olderFields: { command: 'commandName', env: 'environment' },
  result: Type.Union([
    named(
      'ProgramResult',
      Type.Object(
        {
          exitCode,
          ...printed,
          ...outputEncoding,
          outcome: Outcome,
          signal,
          durationMs,
          usage: Usage,
        },
        { description: 'How a program ended' },
      ),
    ),
    Started,
  ]),
  async run(params, context) {
    const { pty } = params;
    if (pty && params.stdin !== undefined)
      throw invalid('stdin', 'a terminal has none: process.input types what its program reads');
    if (pty && !params.background && !context.followed)
      throw invalid('pty', 'needs background: true or stream: true, by which it can be seen');
    const spec = {
      argv: [params.commandName, ...(params.args ?? [])],
      cwd: context.directory(params.workingDirectory, 'workingDirectory'),
      environment: params.environment ?? {},
      stdin: params.stdin,
      pty,
      timeout: { asked: params.timeout, byDefault: params.background ? null : LIMITS.shellTimeoutSeconds },
      stdoutEncoding: params.stdoutEncoding,
    };
    if (params.background) {
      await context.startInBackground(spec);
      return { result: { commandId: context.commandId, executionId: context.executionId } };
    }
    const runResult = await context.runProgram(spec);
    const { exitCode, outcome, signal, durationMs, usage } = runResult;
    return { result: { exitCode, ...outputOf(runResult), outcome, signal, durationMs, usage }, runResult };
  },
});
