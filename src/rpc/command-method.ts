import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import type { Command } from '../commands/command.ts';
import type { CommandRequest } from '../commands/index.ts';
import { ServiceError } from '../errors.ts';
import { closed } from '../schemas/shapes.ts';
import { defineMethod, type Method, type RequestContext } from './method.ts';

type Fields = Record<string, unknown> & { sessionId?: string };

/** A single command as a method of its own, without the wrapper: answered with its result, or COMMAND_FAILED. */
export function commandMethod(name: string, command: Command): Method {
  const params: TObject = closed({
    sessionId: Type.Optional(Type.String({ description: 'Default: the session this socket created last' })),
    ...command.params.properties,
  });
  return defineMethod<TObject, TSchema>({
    name,
    summary: `${command.summary}; a single ${command.type} without the wrapper`,
    params,
    result: command.result,
    run(fields, context) {
      const { sessionId, ...params } = fields as Fields;
      const request = { type: command.type, id: undefined, params, at: '' } as unknown as CommandRequest;
      const session = sessionId ?? context.connection.lastSession;
      // Without awaiting where possible: commands are ordered by when they reach the service.
      if (session instanceof Promise) return session.then(id => execute(required(id), request, context));
      return execute(required(session), request, context);
    },
  });
}

function required(id: string | null): string {
  if (id !== null) return id;
  throw new ServiceError(
    'SESSION_NOT_FOUND',
    'This connection has created no session: name one in sessionId',
  );
}

async function execute(
  sessionId: string,
  request: CommandRequest,
  { service, call, connection }: RequestContext,
): Promise<unknown> {
  const beforeStart = async () => connection.room();
  const { result } = await service.sessions.execute(sessionId, request, call, { beforeStart });
  if (result.success) return result.result;
  throw new ServiceError('COMMAND_FAILED', result.error ?? 'The command failed');
}
