import { Type } from '@sinclair/typebox';
import { ListeningPort } from '../../schemas/ports.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';
import { portFollower } from '../port-follower.ts';

export const sessionPorts = defineMethod({
  name: 'session.ports',
  summary:
    'Lists what listens on TCP in the session; from then on port.opened and port.closed tell what changes',
  params: closed({ sessionId: SessionId }),
  answer: 'What listens now',
  result: Type.Object({ ports: Type.Array(ListeningPort, { description: 'In the order of their numbers' }) }),
  feature: 'PortForwarding',
  run: async ({ sessionId }, { service, call, connection }) => ({
    ports: await service.ports.list(sessionId, call, portFollower(connection)),
  }),
});
