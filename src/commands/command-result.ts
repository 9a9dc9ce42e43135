import { Type } from '@sinclair/typebox';
import { named } from '../schemas/named.ts';
import { nullable } from '../schemas/shapes.ts';
import { EXAMPLES, exampleReply } from './examples.ts';
import { commands } from './index.ts';
import { byType, shapeName } from './shape-names.ts';

/** The answer to one command. The contracts have its result by its type. */
export interface CommandResult {
  readonly type: (typeof commands)[number]['type'];
  readonly id: string;
  readonly success: boolean;
  readonly result: unknown;
  readonly error: string | null;
  readonly durationMs: number;
}

/** The contracts name a result `WriteFileResult` and the like, and the whole answer `WriteFileReply`. */
function reply({ type, result }: (typeof commands)[number]) {
  const described = { description: `What came of ${type}`, examples: [EXAMPLES[type].result] };
  const own = named(`${shapeName(type)}Result`, Object.assign(result, described));
  return named(
    `${shapeName(type)}Reply`,
    Type.Object(
      {
        type: Type.Literal(type, {
          description: 'The command it answers; an older name is answered as this',
        }),
        id: Type.String({ description: "The command's id, or ours" }),
        success: Type.Boolean({ description: 'false when it could not do its work: error says why' }),
        result: nullable(own, 'What came of it; null when it could not do its work'),
        error: nullable(Type.String({ description: 'A sentence, when success is false' })),
        durationMs: Type.Integer({ description: 'From its turn to its end' }),
      },
      { description: `The answer to ${type}`, examples: [exampleReply(type)] },
    ),
  );
}

/** The answer to one command of a session; `type` tells which. */
export const CommandResult = named(
  'CommandResult',
  Type.Unsafe<CommandResult>(
    Type.Union(commands.map(reply), {
      description: 'The answer to one command of a session; its type tells which',
      discriminator: byType(
        commands.map(({ type }) => type),
        'Reply',
      ),
    }),
  ),
);
