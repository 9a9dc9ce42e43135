import { Type } from '@sinclair/typebox';
import { port } from '../../schemas/ports.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionUnexpose = defineMethod({
  name: 'session.unexpose',
  summary: 'Takes a port’s name away, and ends what is open to it',
  params: closed({ sessionId: SessionId, port }),
  answer: 'The port',
  result: Type.Object({ port }),
  feature: 'PortForwarding',
  async run({ sessionId, port }, { service, call }) {
    await service.ports.unexpose(sessionId, port, call);
    return { port };
  },
});
