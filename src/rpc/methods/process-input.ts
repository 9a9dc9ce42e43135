import { Type } from '@sinclair/typebox';
import { decodeContent } from '../../commands/content.ts';
import { Encoding } from '../../schemas/execution.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';
import { readTarget, target } from '../process-target.ts';

export const processInput = defineMethod({
  name: 'process.input',
  summary: 'Feeds the standard input of a running program, or ends it',
  answer: 'What was written',
  params: closed({
    ...target,
    data: Type.Optional(Type.String({ default: '', description: 'What is written to it' })),
    encoding: Type.Optional({ ...Encoding, description: 'Of data; default: utf8' }),
    eof: Type.Optional(Type.Boolean({ default: false, description: 'End of file after the data' })),
  }),
  result: Type.Object({
    bytes: Type.Integer({ description: 'How many were written' }),
    eof: Type.Boolean({ description: 'As it was asked' }),
  }),
  async run(params, { service, call }) {
    const { data = '', encoding = 'utf8', eof = false } = params;
    const bytes = decodeContent(data, encoding, 'data');
    await service.processes.input(readTarget(params), bytes, eof, call);
    return { bytes: bytes.byteLength, eof };
  },
});
