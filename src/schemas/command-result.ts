import { type Static, Type } from '@sinclair/typebox';
import { nullable } from './shapes.ts';

/** The answer to one command of a session. */
export const CommandResult = Type.Object({
  id: Type.String({ description: "The command's id, or ours" }),
  success: Type.Boolean(),
  result: nullable(Type.Unknown()),
  error: nullable(Type.String({ description: 'A sentence, when success is false' })),
  durationMs: Type.Integer(),
});
export type CommandResult = Static<typeof CommandResult>;
