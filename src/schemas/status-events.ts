import { type Static, Type } from '@sinclair/typebox';
import { FILE_EVENTS } from './file-events.ts';
import { denial } from './network.ts';
import { ExecutionStatus, Outcome } from './outcome.ts';
import { port } from './ports.ts';
import { RuntimeType, SessionState } from './session.ts';
import { nullable, oneOf, SessionId, timestamp } from './shapes.ts';

const at = timestamp('When it happened');
const run = {
  executionId: Type.String({ description: 'Names the run; a command of a session has one too' }),
  sessionId: nullable(Type.String({ description: 'null for a one-shot' })),
  commandId: nullable(Type.String({ description: 'The command’s id, or ours; null for a one-shot' })),
  at,
};

/** Why a session ended. */
export const CLOSE_REASONS = ['client', 'idle', 'lifetime', 'lost', 'shutdown'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** What /ws/status and GET /api/events tell, by name: what happens, and nothing of what programs print. */
export const STATUS_EVENTS = {
  'session.created': Type.Object({
    sessionId: SessionId,
    language: Type.String({ description: 'Name of its language' }),
    runtimeType: RuntimeType,
    at,
  }),
  'session.state': Type.Object({ sessionId: SessionId, state: SessionState, at }),
  'session.closed': Type.Object({
    sessionId: SessionId,
    reason: oneOf(CLOSE_REASONS, 'Why it ended'),
    at,
  }),
  'execution.started': Type.Object(run),
  'execution.progress': Type.Object({
    ...run,
    step: Type.Integer({ description: 'How much is done' }),
    total: Type.Integer({ description: 'Of so much' }),
    message: Type.String({ description: 'What was done last' }),
  }),
  'execution.completed': Type.Object({
    ...run,
    status: ExecutionStatus,
    exitCode: nullable(Type.Integer({ description: 'null when a signal ended the program' })),
    outcome: Type.Optional(Outcome),
  }),
  'network.denied': Type.Object({ ...run, ...denial }),
  'port.opened': Type.Object({ sessionId: SessionId, port, at }),
  'port.closed': Type.Object({ sessionId: SessionId, port, at }),
  'runtime.state': Type.Object({
    runtimeType: RuntimeType,
    available: Type.Boolean({ description: 'It can run programs now' }),
    reason: nullable(Type.String({ description: 'Why it is not available' })),
    at,
  }),
  ...FILE_EVENTS,
  'events.dropped': Type.Object({
    count: nullable(
      Type.Integer({
        description:
          'Events that were lost at this place, because this client read too slowly or came back too late; null: nobody knows how many',
      }),
    ),
  }),
} as const;

export type StatusEventName = keyof typeof STATUS_EVENTS;

/** One of them: a notification's method and params. */
export type StatusEvent = {
  [N in StatusEventName]: { readonly method: N; readonly params: Static<(typeof STATUS_EVENTS)[N]> };
}[StatusEventName];
