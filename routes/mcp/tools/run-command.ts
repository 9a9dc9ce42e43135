import { type Static, Type } from '@sinclair/typebox';
import { executeShell as command } from '../../../src/commands/execute-shell.ts';
import { CAUSE_IN_WORDS } from '../../../src/schemas/outcome.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { defineTool, failure, inSession, onLines, sessionId, text } from './tool.ts';

const { commandName, args, workingDirectory, environment, stdin, timeout } = command.params.properties;
/** Of a program that was waited for. */
const [program] = command.result.anyOf;
type Program = Static<typeof program>;

export const runCommand = defineTool({
  name: 'run_command',
  title: 'Run a command',
  description:
    'Runs a command line by sh in /workspace of a sandbox, such as `ls -la | head`, or with args a program directly, and returns ' +
    'what it prints and its exit code. It sees the same files as execute_code. There is no network.',
  input: closed({
    command: {
      ...commandName,
      maxLength: 100_000,
      description: 'A line for sh; with args, the name of a program',
    },
    args: { ...args, description: 'Arguments of the program, which none of them is split or expanded for' },
    sessionId,
    workingDirectory: {
      ...workingDirectory,
      description: 'Below /workspace, or relative to it; default: /workspace',
    },
    environment,
    stdin,
    timeout,
  }),
  output: Type.Object({ ...inSession, ...program.properties }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  async run({ sessionId, command, args, ...params }, use) {
    const words = args ? { commandName: command, args } : { commandName: 'sh', args: ['-c', command] };
    const ran = await use.run({ sessionId, type: 'execute_shell', params: { ...params, ...words } });
    if (ran.result === null) return failure(ran);
    const result = ran.result as Program;
    return { content: [text(inWords(result))], structured: { ...ran.session, ...result }, failed: false };
  },
});

function inWords({ stdout, stderr, outcome, exitCode, signal, usage }: Program): string {
  const end = CAUSE_IN_WORDS[outcome] ?? (signal ? `ended by ${signal}` : `exit code ${exitCode}`);
  const parts = [
    stdout,
    stderr && `stderr:\n${stderr}`,
    usage.limitsHit.includes('output') && '(some of its output was left out)',
    `(${end})`,
  ];
  return onLines(parts);
}
