import { type Static, Type } from '@sinclair/typebox';
import { ExecutionStatus } from './outcome.ts';
import { nullable, Timestamp } from './shapes.ts';

/** The answer to one command of a session. */
export const CommandResult = Type.Object({
  id: Type.String({ description: "The command's id, or ours" }),
  success: Type.Boolean(),
  result: nullable(Type.Unknown()),
  error: nullable(Type.String({ description: 'A sentence, when success is false' })),
  durationMs: Type.Integer(),
});
export type CommandResult = Static<typeof CommandResult>;

/** The answer to a command whose client does not wait for it any longer. */
export const PendingCommand = Type.Object({
  sessionId: Type.String(),
  commandId: Type.String({
    description: "The command's id, or ours; DELETE …/commands/{commandId} cancels it",
  }),
  executionId: Type.String({ description: 'GET /api/execution/{id} says how it is doing' }),
  status: ExecutionStatus,
  createdAt: Timestamp,
});
