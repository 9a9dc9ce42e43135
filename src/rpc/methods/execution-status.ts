import { StatusResponse } from '../../schemas/execution.ts';
import { closed, ExecutionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const executionStatus = defineMethod({
  name: 'execution.status',
  summary: 'Says how a run is doing, or how it ended',
  params: closed({ executionId: ExecutionId }),
  result: StatusResponse,
  reads: true,
  run: ({ executionId }, { service, call }) => service.executions.status(executionId, call),
});
