import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import type { Command } from '../commands/command.ts';
import { renamed, ServiceError } from '../errors.ts';
import { closed } from '../schemas/shapes.ts';
import { type Context, defineMethod, type Method } from './method.ts';
import { queueOf } from './queue-of.ts';

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
    queue: (fields, context) =>
      onSession(fields, context, id => queueOf(id, commandOf(command, fields), context)),
    run: (fields, context) => execute(fields.sessionId as string, commandOf(command, fields), context),
  });
}

function commandOf({ type }: Command, { sessionId: _, ...fields }: Fields): Record<string, unknown> {
  return { type, ...fields };
}

/** Settles which session is meant, at once unless it is still being created. */
function onSession<T>(fields: Fields, { connection }: Context, go: (id: string) => T): T | Promise<T> {
  const settle = (id: string | null) => {
    fields.sessionId = required(id);
    return go(fields.sessionId);
  };
  const id = fields.sessionId ?? connection.lastSession;
  return id instanceof Promise ? id.then(settle) : settle(id);
}

function required(id: string | null): string {
  if (id !== null) return id;
  throw new ServiceError(
    'SESSION_NOT_FOUND',
    'This connection has created no session: name one in sessionId',
  );
}

async function execute(sessionId: string, command: unknown, { service, call }: Context): Promise<unknown> {
  const { result } = await service.sessions.execute(sessionId, command, call).catch(unwrapped);
  if (result.success) return result.result;
  throw new ServiceError('COMMAND_FAILED', result.error ?? 'The command failed');
}

/** Here the command's fields are the method's own. */
function unwrapped(error: unknown): never {
  if (!(error instanceof ServiceError) || !error.field) throw error;
  throw renamed(error, error.field.replace(/^command\./, ''));
}
