import { Type } from '@sinclair/typebox';
import { closed, Timestamp } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

/** Of what a program was called with: most arguments, and most characters of each. */
const MOST_ARGS = 50;
const MOST_LENGTH = 500;

export const processList = defineMethod({
  name: 'process.list',
  summary: 'Lists the programs that commands of a session have started and that run',
  params: closed({ sessionId: Type.String() }),
  result: Type.Object({
    processes: Type.Array(
      Type.Object({
        commandId: Type.String({ description: "The command's id, or ours" }),
        executionId: Type.String(),
        pid: Type.Integer({ description: 'Its number, as programs of the sandbox see it' }),
        commandName: Type.String(),
        args: Type.Array(Type.String(), {
          description: `The first ${MOST_ARGS}, each of at most ${MOST_LENGTH} characters`,
        }),
        startedAt: Timestamp,
        background: Type.Boolean(),
        pty: Type.Boolean({ description: 'It has a terminal' }),
      }),
    ),
  }),
  reads: true,
  async run({ sessionId }, { service, call }) {
    const programs = await service.processes.list(sessionId, call);
    const processes = programs.map(({ argv, startedAt, commandId, executionId, pid, background, pty }) => {
      const [commandName = '', ...args] = argv
        .slice(0, MOST_ARGS + 1)
        .map(word => word.slice(0, MOST_LENGTH));
      return {
        commandId,
        executionId,
        pid,
        commandName,
        args,
        startedAt: startedAt.toISOString(),
        background,
        pty,
      };
    });
    return { processes };
  },
});
