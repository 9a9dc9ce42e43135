import { Type } from '@sinclair/typebox';
import { nullable } from '../schemas/shapes.ts';

/** Fields that several commands share. */
export const program = Type.String({ pattern: '^[^\\u0000]*$' });
export const timeout = Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Wall seconds' }));

/** The answer to a command with background: true. */
export const Started = Type.Object(
  { commandId: Type.String(), executionId: Type.String() },
  { description: 'With background: true; execution.status and execution.cancel take the executionId' },
);

export const exitCode = nullable(Type.Integer());
export const signal = nullable(Type.String());
