import { Type } from '@sinclair/typebox';
import { CommandResult } from '../../src/commands/command-result.ts';
import { parseCommand } from '../../src/commands/parse.ts';
import { ServiceError } from '../../src/errors.ts';
import { AnyCommand } from '../../src/rpc/any-command.ts';
import { StatusResponse } from '../../src/schemas/execution.ts';
import { PendingCommand } from '../../src/schemas/pending-command.ts';
import { closed, SessionId } from '../../src/schemas/shapes.ts';
import type { ExecuteReply, Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { answerInTime } from './answer-in-time.ts';
import { asItIs } from './as-it-is.ts';
import { COMMAND_EXAMPLES, REPLY_EXAMPLES } from './command-examples.ts';
import { LATE_HEADERS, PreferHeader, WaitQuery } from './prefer.ts';

const tags = ['session'];
const CommandBody = closed({
  command: AnyCommand,
  stream: Type.Optional(
    Type.Boolean({
      default: false,
      description: "Must be false: every command's events come over GET /api/session/{id}/events",
    }),
  ),
});

/** Commands of a session: run, or cancelled. */
export function commandRoutes(app: App, service: Service): void {
  const { sessions } = service;
  app.post(
    '/api/session/:id/execute',
    {
      ...asItIs,
      schema: {
        tags,
        operationId: 'executeCommand',
        summary:
          'Runs one command in a session and answers when it has ended, or with Prefer: wait=SECONDS when that is over; a client that goes away cancels nothing',
        params: closed({ id: SessionId }),
        body: { ...CommandBody, 'x-examples': COMMAND_EXAMPLES },
        querystring: closed({ wait: WaitQuery }),
        headers: PreferHeader,
        response: {
          200: {
            description: 'What came of a command that has ended',
            content: { 'application/json': { schema: CommandResult, examples: REPLY_EXAMPLES } },
          },
          202: { ...PendingCommand, description: 'It goes on, and its wait is over', headers: LATE_HEADERS },
          ...problems(400, 'SESSION_NOT_FOUND', 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (request.body.stream)
        throw new ServiceError('NOT_SUPPORTED', 'stream: needs a WebSocket', {
          field: 'stream',
          details: "Leave it out: every command's events come over GET /api/session/{id}/events",
        });
      const command = parseCommand(request.body.command);
      const call = { ...callOf(request, reply), signal: new AbortController().signal };
      return answerInTime<ExecuteReply>(request, reply, { service, sessionId: id, call }, onTaken =>
        // There is no other way to follow a command here, and who does may come at any time.
        sessions.execute(id, command, call, { stream: true, onTaken }),
      );
    },
  );
  app.delete(
    '/api/session/:id/commands/:commandId',
    {
      schema: {
        tags,
        operationId: 'cancelCommand',
        summary: 'Cancels a command if it has not ended; answers with its final state',
        params: closed({
          id: SessionId,
          commandId: Type.String({ description: "The command's id, or ours; the newest of that id" }),
        }),
        response: { 200: StatusResponse, ...problems(404) },
      },
    },
    (request, reply) => {
      const { id, commandId } = request.params;
      return sessions.cancel(id, commandId, callOf(request, reply));
    },
  );
}
