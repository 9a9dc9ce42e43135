import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Registry } from '@prometheus-io/client';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Admit } from '../plugins/rate-limit.ts';
import type { Rpc } from '../src/rpc/index.ts';
import type { Service } from '../src/service/service.ts';

/** What doors are built from. */
export interface DoorParts {
  readonly service: Service;
  readonly rpc: Rpc;
  readonly registry: Registry;
  /** Counts one request of a door whose routes count themselves; undefined without a rate limit. */
  readonly admit: Admit | undefined;
}

/**
 * One protocol for clients, encapsulated: parsers, validators, error bodies and hooks that it sets hold for its own routes
 * alone. It translates and never decides. Who may come, how often and with how much is settled in plugins/, for every door.
 */
export interface Door {
  readonly name: string;
  open(app: FastifyInstance, parts: DoorParts): void | Promise<void>;
}

/** The app as typed routes see it: a request's types follow from its TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
