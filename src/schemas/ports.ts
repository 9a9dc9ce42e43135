import { type Static, Type } from '@sinclair/typebox';
import { nullable, SessionId } from './shapes.ts';

/** A port that a program of a session listens on. */
export const port = Type.Integer({ minimum: 1, maximum: 65_535, description: 'The port inside' });

export const ExposedPort = Type.Object(
  {
    port,
    url: Type.String({ description: 'Where it is reached: an origin of its own' }),
    token: Type.String({
      description: 'For X-CodeBeaker-Port-Token, which a request to a port that is not public needs',
    }),
  },
  { description: 'A port that has a name' },
);
export type ExposedPort = Static<typeof ExposedPort>;

const listening = { sessionId: SessionId, port };

/** What a session tells that was asked for its ports. */
export const PORT_EVENTS = {
  'port.opened': Type.Object(listening),
  'port.closed': Type.Object(listening),
} as const;

export type PortEvent = {
  readonly method: keyof typeof PORT_EVENTS;
  readonly params: Static<(typeof PORT_EVENTS)['port.opened']>;
};

export const ListeningPort = Type.Object({
  port,
  address: Type.String({ description: 'What it listens on, such as 127.0.0.1 or 0.0.0.0' }),
  exposed: Type.Boolean({ description: 'It has a name' }),
  url: nullable(Type.String({ description: 'Where it is reached; null where it is not exposed' })),
});
export type ListeningPort = Static<typeof ListeningPort>;
