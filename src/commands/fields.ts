import { Type } from '@sinclair/typebox';
import { nullable } from '../schemas/shapes.ts';

/** Fields that several commands share. */
export const program = Type.String({ pattern: '^[^\\u0000]*$' });
export const timeout = Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Wall seconds' }));

/** Of a file or directory; see src/wire/path-bytes.ts. */
export const path = Type.String({
  description:
    'Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \\x and two lowercase hexadecimal digits, ' +
    'such as caf\\xe9.txt, as listings show it; a backslash that would be read so is \\x5c',
});

/** The answer to a command with background: true. */
export const Started = Type.Object(
  { commandId: Type.String(), executionId: Type.String() },
  { description: 'With background: true; execution.status and execution.cancel take the executionId' },
);

export const exitCode = nullable(Type.Integer());
export const signal = nullable(Type.String());
