import { type Static, Type } from '@sinclair/typebox';
import { CellError, MimeBundle } from './cell.ts';
import { denial } from './network.ts';
import { ExecutionStatus, Outcome } from './outcome.ts';
import { InstallPhase } from './packages.ts';
import { nullable, oneOf } from './shapes.ts';

const origin = {
  executionId: Type.String({ description: 'Names the run; a command of a session has one too' }),
  sessionId: nullable(Type.String({ description: 'null for execution.run' })),
  commandId: nullable(Type.String({ description: "The command's id, or ours" })),
  seq: Type.Integer({
    minimum: 1,
    description: 'Contiguous from 1 within a session, or within an execution',
  }),
};

/** What a run tells while it runs, by the name of its JSON-RPC notification. */
export const EVENTS = {
  'execution.started': Type.Object(origin),
  'execution.output': Type.Object({
    ...origin,
    stream: oneOf(['stdout', 'stderr'], 'Where it was printed'),
    text: Type.Optional(Type.String({ description: 'What was printed, where its bytes are UTF-8' })),
    data: Type.Optional(
      Type.String({ description: 'base64, instead of text where the bytes are not UTF-8' }),
    ),
  }),
  'execution.result': Type.Object({
    ...origin,
    mimeBundle: MimeBundle,
    isValue: Type.Optional(
      Type.Literal(true, {
        description: "It is the value of the cell's last expression, and was not displayed",
      }),
    ),
  }),
  'execution.progress': Type.Object({
    ...origin,
    step: Type.Integer({ description: 'Of a batch: how many of its commands have ended' }),
    total: Type.Integer({ description: 'Of a batch: how many commands it has' }),
    message: Type.String({ description: 'Of a batch: the type of the command that has ended' }),
    index: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Of a batch: the place of that command, as in its results' }),
    ),
    result: Type.Optional(
      Type.Unsafe<unknown>({
        title: 'CommandResult',
        description: 'Of a batch: what came of that command; left out where it is over 1 MiB as JSON',
      }),
    ),
    phase: Type.Optional(InstallPhase),
    package: Type.Optional(Type.String({ description: 'What is being looked up or downloaded' })),
    bytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Of it, so far' })),
    totalBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Of it, where that is known' })),
  }),
  'network.denied': Type.Object({ ...origin, ...denial }),
  'execution.completed': Type.Object({
    ...origin,
    status: ExecutionStatus,
    exitCode: nullable(Type.Integer({ description: 'null when a signal ended the program' })),
    signal: Type.Optional(Type.String({ description: 'The signal that ended the program' })),
    outcome: Type.Optional(Outcome),
    results: Type.Optional(
      Type.Array(MimeBundle, { description: 'Of a cell: its rich results, as its answer has them' }),
    ),
    error: Type.Optional(nullable(CellError)),
    executionCount: Type.Optional(Type.Integer({ description: 'Of a cell' })),
    message: Type.Optional(
      Type.String({ description: 'Why a command of a session did not succeed, in a sentence' }),
    ),
  }),
} as const;

export type EventName = keyof typeof EVENTS;

/** One notification: its method and its params, `seq` included. */
export type ExecutionEvent = {
  [N in EventName]: { readonly method: N; readonly params: Static<(typeof EVENTS)[N]> };
}[EventName];
