import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { Call } from '../service/call.ts';
import type { Service } from '../service/service.ts';
import type { Connection } from './connection.ts';

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

/** What a method works with. */
export interface RequestContext {
  readonly service: Service;
  readonly call: Call;
  readonly connection: Connection;
  /** Runs a task when the answer is on its way. */
  after(task: () => void): void;
  /** The OpenRPC document of this door. */
  describe(): Record<string, unknown>;
}

/** Keeps a method's types while it is stored beside others. */
export function defineMethod<P extends TObject, R extends TSchema>(method: Method<P, R>): Method {
  return method as unknown as Method;
}
