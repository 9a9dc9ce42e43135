import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { Call } from '../service/call.ts';
import type { Service } from '../service/service.ts';
import type { Following } from './session-feed.ts';

/** One method of the JSON-RPC door: its shape, and the one call it makes. Validation is generic. */
export interface Method<P extends TObject = TObject, R extends TSchema = TSchema> {
  readonly name: string;
  readonly summary: string;
  readonly params: P;
  readonly result: R;
  /** Turns older spellings of the whole object into today's, in place, before validation. */
  readonly adapt?: (params: Record<string, unknown>) => void;
  /**
   * It changes nothing, and its answer may be large: a connection has one at a time, and only once what it asked before
   * is on its way.
   */
  readonly reads?: boolean;
  /** A socket that closes ends it. */
  readonly endsWithConnection?: boolean;
  run(params: Static<P>, context: RequestContext): Static<R> | Promise<Static<R>>;
}

/** A client's connection, as far as its methods use it. */
export interface ClientConnection {
  /** It stays open, so that notifications can reach it. */
  readonly live: boolean;
  /** False when an initializing client did not ask for notifications. */
  streaming: boolean;
  /** The session that `fs.*` mean when they name none: the one created last. */
  lastSession: string | null | Promise<string | null>;
  /** Ends a request in flight. Unknown ids are no error: the answer may be on its way. */
  cancel(id: string | number | null): boolean;
  /** Sends a notification; resolves when there is room for more. */
  notify(event: ExecutionEvent): void | Promise<void>;
  /** Resolves when there is room for an answer. */
  room(): void | Promise<void>;
  /** The feed of a session to this connection, opened if it is not yet. See {@link SessionFeed.open}. */
  follow(sessionId: string, afterSeq: number | null, context: RequestContext): Promise<Following>;
}

/** What a method works with. */
export interface RequestContext {
  readonly service: Service;
  readonly call: Call;
  readonly connection: ClientConnection;
  /** Runs a task when the answer is on its way. */
  after(task: () => void): void;
  /** The OpenRPC document of this door. */
  describe(): Record<string, unknown>;
}

/** Keeps a method's types while it is stored beside others. */
export function defineMethod<P extends TObject, R extends TSchema>(method: Method<P, R>): Method {
  return method as unknown as Method;
}
