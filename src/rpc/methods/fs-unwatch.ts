import { Type } from '@sinclair/typebox';
import { WatchId } from '../../schemas/file-events.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const fsUnwatch = defineMethod({
  name: 'fs.unwatch',
  summary: 'Ends a watch; nothing of it is told after the answer',
  answer: 'The watch that has ended',
  params: closed({ watchId: WatchId }),
  result: Type.Object({ watchId: WatchId }),
  async run({ watchId }, { service, call }) {
    await service.watches.close(watchId, call);
    return { watchId };
  },
});
