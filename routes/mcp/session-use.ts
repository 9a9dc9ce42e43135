import type { CommandRequest } from '../../src/commands/index.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Call } from '../../src/service/call.ts';
import type { Sessions } from '../../src/service/service.ts';
import type { DefaultSessions, Found } from './default-sessions.ts';
import { type Tell, told } from './told.ts';
import { DEFAULT_LANGUAGE, type Ran, type ToolCommand, type ToolUse } from './tools/tool.ts';

/** What tools do in sessions: in the one that is named, or in the caller's own. */
export class SessionUse implements ToolUse {
  readonly sessions: Sessions;
  readonly call: Call;
  readonly #own: DefaultSessions;
  readonly #connection: string | null;
  /** Null when nobody asked to be told. */
  readonly #tell: Tell | null;

  constructor(parts: {
    sessions: Sessions;
    call: Call;
    own: DefaultSessions;
    connection: string | null;
    tell: Tell | null;
  }) {
    this.sessions = parts.sessions;
    this.call = parts.call;
    this.#own = parts.own;
    this.#connection = parts.connection;
    this.#tell = parts.tell;
  }

  async run(command: ToolCommand): Promise<Ran> {
    const { sessionId, language = DEFAULT_LANGUAGE } = command;
    if (sessionId !== undefined) return this.#execute(sessionId, false, command);
    try {
      return await this.#inOwn(language, false, command);
    } catch (error) {
      if (!cannotShare(error)) throw error;
      return this.#inOwn(language, true, command);
    }
  }

  leave(): Promise<string[]> {
    return this.#own.leave(this.#connection, this.call);
  }

  /** In one that has ended meanwhile nothing has happened, so that another takes its place. */
  async #inOwn(language: string, alone: boolean, command: ToolCommand): Promise<Ran> {
    const find = () => this.#own.find(this.#connection, language, alone, this.call);
    const execute = ({ sessionId, began }: Found) => this.#execute(sessionId, began, command);
    const found = await find();
    try {
      return await execute(found);
    } catch (error) {
      if (found.began || !isGone(error)) throw error;
      found.forget();
    }
    return execute(await find());
  }

  async #execute(sessionId: string, sessionBegan: boolean, { type, params }: ToolCommand): Promise<Ran> {
    const request = { type, id: undefined, params, at: '' } as CommandRequest;
    const { success, result, error } = this.#tell
      ? await told(this.sessions, sessionId, request, this.call, this.#tell)
      : (await this.sessions.execute(sessionId, request, this.call)).result;
    return { session: { sessionId, sessionBegan }, success, result, error };
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ServiceError && ['SESSION_NOT_FOUND', 'SESSION_CLOSED'].includes(error.code);
}

/** A language that the session's sandbox has no interpreter or compiler for. */
function cannotShare(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'NOT_SUPPORTED' && error.field === 'language';
}
