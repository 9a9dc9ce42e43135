import { Kind, Type } from '@sinclair/typebox';
import { commands } from '../commands/index.ts';
import { byType, shapeName } from '../commands/shape-names.ts';
import { named } from '../schemas/named.ts';

/** One command in its flat form, for the contracts, which name it `WriteFileCommand` and the like. */
function flat({ type, summary, params }: (typeof commands)[number]) {
  return named(
    `${shapeName(type)}Command`,
    Type.Object(
      {
        type: Type.Literal(type, { description: 'The command' }),
        id: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Echoed in the answer' })),
        ...params.properties,
      },
      { additionalProperties: false, description: `${type}: ${summary}` },
    ),
  );
}

/**
 * `command` of `session.execute`. The contracts list every type; commands/parse.ts checks it, and also
 * accepts the nested form and older names.
 */
export const AnyCommand = Type.Unsafe<unknown>({
  [Kind]: 'Any',
  description: 'Flat, or nested as { type, params }; older names of types and fields are taken too',
  oneOf: commands.map(flat),
  discriminator: byType(
    commands.map(({ type }) => type),
    'Command',
  ),
});
