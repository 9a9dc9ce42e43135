import { Type } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const cancelRequest = defineMethod({
  name: '$/cancelRequest',
  summary: 'Cancels a request in flight on this connection; that one is then answered with error -32800',
  params: closed({ id: Type.Union([Type.String(), Type.Number(), Type.Null()]) }),
  result: Type.Object({ cancelled: Type.Boolean({ description: 'false: nothing of that id is in flight' }) }),
  run: ({ id }, { connection }) => ({ cancelled: connection.cancel(id) }),
});
