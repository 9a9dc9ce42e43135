import { Type } from '@sinclair/typebox';
import { ExecutionStatus } from './outcome.ts';
import { SessionId, timestamp } from './shapes.ts';

/** The answer to a command whose client does not wait for it any longer. */
export const PendingCommand = Type.Object(
  {
    sessionId: SessionId,
    commandId: Type.String({
      description: "The command's id, or ours; DELETE …/commands/{commandId} cancels it",
    }),
    executionId: Type.String({ description: 'GET /api/execution/{id} says how it is doing' }),
    status: ExecutionStatus,
    createdAt: timestamp('When it was taken'),
  },
  { description: 'A command that goes on while nobody waits for it' },
);
