import { Type } from '@sinclair/typebox';
import { batchFields } from '../commands/batch.ts';
import { LIMITS } from '../schemas/limits.ts';
import { AnyCommand } from './any-command.ts';

/** A batch as both doors take it. */
export const BatchFields = {
  commands: Type.Array(AnyCommand, {
    minItems: 1,
    maxItems: LIMITS.batchCommands,
    description: 'In the order in which they are done',
  }),
  ...batchFields,
};
