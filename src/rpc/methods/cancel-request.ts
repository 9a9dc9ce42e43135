import { Kind, Type, TypeRegistry } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { isId } from '../envelope.ts';
import { defineMethod } from '../method.ts';

// Beside what the contract says, a number as raw JSON: see exact-ids.ts.
TypeRegistry.Set('RequestId', (_, value) => isId(value));
const RequestId = Type.Unsafe<string | number | null>({
  [Kind]: 'RequestId',
  anyOf: [Type.String(), Type.Number(), Type.Null()],
  description: 'The id of that request',
});

export const cancelRequest = defineMethod({
  name: '$/cancelRequest',
  summary: 'Cancels a request in flight on this connection; that one is then answered with error -32800',
  answer: 'Whether there was something to cancel',
  params: closed({ id: RequestId }),
  result: Type.Object({ cancelled: Type.Boolean({ description: 'false: nothing of that id is in flight' }) }),
  run: ({ id }, { connection }) => ({ cancelled: connection.cancel(id) }),
});
