import { Type } from '@sinclair/typebox';
import { ExposedPort, port } from '../../schemas/ports.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';
import { portFollower } from '../port-follower.ts';

export const sessionExpose = defineMethod({
  name: 'session.expose',
  summary:
    'Gives a port of the session a name of its own, where HTTP, server-sent events and WebSockets reach what listens there; again: for how long, and for whom',
  params: closed({
    sessionId: SessionId,
    port,
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        description: 'Not longer than so; by default as long as the session',
      }),
    ),
    public: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Whoever knows the name may come; otherwise a request needs the token, or a key of the session’s owner',
      }),
    ),
  }),
  result: ExposedPort,
  feature: 'PortForwarding',
  run: (params, { service, call, connection }) =>
    service.ports.expose(params, call, portFollower(connection)),
});
