import { Type } from '@sinclair/typebox';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { contextName, DEFAULT_CONTEXT } from './execute-code.ts';

export const restartContext = defineCommand({
  type: 'restart_context',
  summary: 'Starts an interpreter afresh: its state is gone, files stay',
  params: closed({ context: contextName }),
  result: Type.Object({ context: Type.String({ description: 'The name of the interpreter' }) }),
  async run({ context: name = DEFAULT_CONTEXT }, context) {
    await context.restartContext(name);
    return { result: { context: name } };
  },
});
