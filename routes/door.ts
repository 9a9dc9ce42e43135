import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Registry } from '@prometheus-io/client';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Inflow } from '../plugins/inflow.ts';
import type { Admit } from '../plugins/rate-limit.ts';
import type { Rpc } from '../src/rpc/index.ts';
import type { Service } from '../src/service/service.ts';

/** What a door is built from. */
export interface DoorParts {
  readonly service: Service;
  readonly rpc: Rpc;
  readonly registry: Registry;
  /** Counts one request against the rate limit, for doors that count themselves; undefined without a limit. */
  readonly admit: Admit | undefined;
  /** Counts what sockets bring, of all doors. */
  readonly inflow: Inflow;
  /** Where results may be sent that clients want sent somewhere. */
  readonly callbackOrigins: readonly string[];
}

/**
 * A protocol for clients, encapsulated: its parsers, validators, error bodies and hooks apply to its own
 * routes only. A door translates and never decides. Access, rates and sizes are enforced in plugins/, for
 * every door.
 */
export interface Door {
  readonly name: string;
  open(app: FastifyInstance, parts: DoorParts): void | Promise<void>;
}

/** The app with types of requests taken from their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
