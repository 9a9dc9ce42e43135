import { Type } from '@sinclair/typebox';
import { closed, Timestamp } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const ping = defineMethod({
  name: 'ping',
  summary: 'Answers at once',
  params: closed({}),
  result: Type.Object({ now: Timestamp }),
  run: () => ({ now: new Date().toISOString() }),
});
