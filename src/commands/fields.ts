import { Type } from '@sinclair/typebox';
import { named } from '../schemas/named.ts';
import { nullable } from '../schemas/shapes.ts';

/** Fields that several commands share. */
export const program = Type.String({ pattern: '^[^\\u0000]*$' });
export const timeout = Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Wall seconds' }));

/** The answer to a command with background: true. */
export const Started = named(
  'BackgroundResult',
  Type.Object(
    {
      commandId: Type.String({ description: "The command's id, or ours" }),
      executionId: Type.String({
        description: 'execution.status and execution.cancel take it, and GET and DELETE /api/execution/{id}',
      }),
    },
    { description: 'With background: true; execution.status and execution.cancel take the executionId' },
  ),
);

/** Of a file or directory; see src/wire/path-bytes.ts. */
export const path = Type.String({
  description:
    'Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \\x and two lowercase hexadecimal digits, ' +
    'such as caf\\xe9.txt, as listings show it; a backslash that would be read so is \\x5c',
});

export const exitCode = nullable(Type.Integer({ description: 'null when a signal ended it' }));
export const signal = nullable(Type.String({ description: 'The signal that ended it, such as SIGKILL' }));
/** What a program or cell printed, and how long it took. */
export const printed = {
  stdout: Type.String({ description: "What it printed, up to the server's CODEBEAKER_MAX_OUTPUT_BYTES" }),
  stderr: Type.String({ description: 'The same of standard error' }),
};
export const durationMs = Type.Integer({ description: 'Wall time, milliseconds' });
