import { Type } from '@sinclair/typebox';
import { invalid } from '../errors.ts';
import type { ProcessTarget } from '../service/service.ts';

/** The fields that name a running program. */
export const target = {
  sessionId: Type.Optional(Type.String({ description: 'Names its session' })),
  executionId: Type.Optional(Type.String({ description: 'Names its run, instead of sessionId' })),
  commandId: Type.Optional(
    Type.String({ description: 'One of several commands of a session; default: the last one started' }),
  ),
};

type Fields = { [K in keyof ProcessTarget]: string | undefined };

export function readTarget({ sessionId, executionId, commandId }: Fields): ProcessTarget {
  if (sessionId === undefined && executionId === undefined) {
    throw invalid('sessionId', 'missing: name a session or an executionId');
  }
  return {
    ...(sessionId !== undefined && { sessionId }),
    ...(executionId !== undefined && { executionId }),
    ...(commandId !== undefined && { commandId }),
  };
}
