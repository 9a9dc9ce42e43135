import { Type } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const fsUnwatch = defineMethod({
  name: 'fs.unwatch',
  summary: 'Ends a watch; nothing of it is told after the answer',
  params: closed({ watchId: Type.String() }),
  result: Type.Object({ watchId: Type.String() }),
  async run({ watchId }, { service, call }) {
    await service.watches.close(watchId, call);
    return { watchId };
  },
});
