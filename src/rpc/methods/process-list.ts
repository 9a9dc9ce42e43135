import { Type } from '@sinclair/typebox';
import { RunningProcess } from '../../schemas/running-process.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const processList = defineMethod({
  name: 'process.list',
  summary: 'Lists the programs that a session’s commands run, in the order they began',
  params: closed({ sessionId: Type.String() }),
  result: Type.Object({ processes: Type.Array(RunningProcess) }),
  // Arguments may be long.
  reads: true,
  run: async ({ sessionId }, { service, call }) => ({
    processes: (await service.processes.list(sessionId, call)).map(
      ({ cwd: _, environment: __, ...shown }) => shown,
    ),
  }),
});
