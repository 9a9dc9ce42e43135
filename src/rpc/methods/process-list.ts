import { Type } from '@sinclair/typebox';
import { RunningProcess } from '../../schemas/running-process.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const processList = defineMethod({
  name: 'process.list',
  summary: 'Lists the programs that a session’s commands run, in the order they began',
  answer: 'What runs now',
  params: closed({ sessionId: SessionId }),
  result: Type.Object({
    processes: Type.Array(RunningProcess, { description: 'In the order they began' }),
  }),
  // Arguments may be long.
  reads: true,
  run: async ({ sessionId }, { service, call }) => ({
    processes: (await service.processes.list(sessionId, call)).map(
      ({ cwd: _, environment: __, ...shown }) => shown,
    ),
  }),
});
