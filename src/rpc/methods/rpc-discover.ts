import { Type } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const rpcDiscover = defineMethod({
  name: 'rpc.discover',
  summary: 'The OpenRPC document of this door',
  answer: 'The document',
  params: closed({}),
  result: Type.Object({}, { additionalProperties: true }),
  reads: true,
  run: (_, { describe }) => describe(),
});
