import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { Feature } from '../schemas/features.ts';
import type { FileEvent } from '../schemas/file-events.ts';
import type { PortEvent } from '../schemas/ports.ts';
import type { Call } from '../service/call.ts';
import type { Service } from '../service/service.ts';
import type { Following } from './session-feed.ts';

/** A method of the JSON-RPC door: its schemas and the one call of the service that it makes. */
export interface Method<P extends TObject = TObject, R extends TSchema = TSchema> {
  readonly name: string;
  readonly summary: string;
  /** What its result is, for the contract, where its schema does not say so. */
  readonly answer?: string;
  readonly params: P;
  readonly result: R;
  /** For the contract. */
  readonly examples?: readonly MethodExample[];
  /** Rewrites older forms of the parameters in place, before validation. */
  readonly adapt?: (params: Record<string, unknown>) => void;
  /**
   * Set for a method that changes nothing and whose answer may be large. A connection runs one at a time,
   * after earlier answers have been sent.
   */
  readonly reads?: boolean;
  /** Set for a method that is refused to a client whose `initialize` left this off. */
  readonly feature?: Feature;
  /** Set for a method that is aborted when its connection closes; a function of the parameters as they came, where it depends. */
  readonly endsWithConnection?: boolean | ((params: Readonly<Record<string, unknown>>) => boolean);
  run(params: Static<P>, context: RequestContext): Static<R> | Promise<Static<R>>;
}

/** A call and its answer. */
export interface MethodExample {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: unknown;
}

/** The part of a connection that methods use. */
export interface ClientConnection {
  /** True when it stays open, so that notifications can be sent. */
  readonly live: boolean;
  /** Those that are on: all, or what its `initialize` asked for. */
  readonly features: ReadonlySet<Feature>;
  /** Leaves on only those; what goes on of others ends. */
  request(features: ReadonlySet<Feature>): void;
  /** The session created last, which `fs.*` use when they name none. */
  lastSession: string | null | Promise<string | null>;
  /** Aborts a request in flight; returns false for an unknown id, whose answer may have been sent. */
  cancel(id: string | number | null): boolean;
  /** Sends a notification; resolves when there is room for more. */
  notify(event: ExecutionEvent | FileEvent | PortEvent): void | Promise<void>;
  /** Aborted when it closes, or its client wants no watches any more. */
  readonly watching: AbortSignal;
  /** Resolves when there is room for an answer. */
  room(): void | Promise<void>;
  /** Opens a session's feed to this connection, or extends the one that is open. See {@link SessionFeed.open}. */
  follow(sessionId: string, afterSeq: number | null, context: RequestContext): Promise<Following>;
}

/** What a method is given besides its parameters. */
export interface RequestContext {
  readonly service: Service;
  readonly call: Call;
  readonly connection: ClientConnection;
  /** Runs a task after the answer has been sent. */
  after(task: () => void): void;
  /** The OpenRPC document of this door. */
  describe(): Record<string, unknown>;
}

/** Checks a method's types and erases them, so that methods fit one list. */
export function defineMethod<P extends TObject, R extends TSchema>(method: Method<P, R>): Method {
  return method as unknown as Method;
}
