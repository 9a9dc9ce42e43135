import { Type } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';
import { readTarget, target } from '../process-target.ts';

export const processSignal = defineMethod({
  name: 'process.signal',
  summary: 'Sends a signal to a running program',
  answer: 'What was sent',
  params: closed({ ...target, signal: Type.String({ description: 'A name, e.g. SIGINT' }) }),
  result: Type.Object({ signal: Type.String({ description: 'As it was asked' }) }),
  async run(params, { service, call }) {
    await service.processes.signal(readTarget(params), params.signal, call);
    return { signal: params.signal };
  },
});
