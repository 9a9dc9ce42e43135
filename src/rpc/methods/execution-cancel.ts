import { StatusResponse } from '../../schemas/execution.ts';
import { closed, ExecutionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const executionCancel = defineMethod({
  name: 'execution.cancel',
  summary: 'Ends a run; answers with its final state',
  params: closed({ executionId: ExecutionId }),
  result: StatusResponse,
  run: ({ executionId }, { service, call }) => service.executions.cancel(executionId, call),
});
