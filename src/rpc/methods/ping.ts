import { Type } from '@sinclair/typebox';
import { closed, timestamp } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const ping = defineMethod({
  name: 'ping',
  summary: 'Answers at once',
  answer: 'That the server is there',
  params: closed({}),
  result: Type.Object({ now: timestamp('Of the server') }),
  run: () => ({ now: new Date().toISOString() }),
});
