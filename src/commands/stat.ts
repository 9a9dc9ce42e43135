import { basename } from 'node:path/posix';
import { Type } from '@sinclair/typebox';
import { closed, oneOf, timestamp } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { path } from './fields.ts';
import { workspacePath } from './paths.ts';

export const stat = defineCommand({
  type: 'stat',
  summary: 'Describes a file, directory or link; a link that the path names itself is not followed',
  params: closed({ path }),
  result: Type.Object({
    name: Type.String({ description: 'The last part of its path' }),
    path: Type.String({ description: 'Absolute, below /workspace' }),
    type: oneOf(['file', 'directory', 'symlink', 'other'], 'A link is not followed'),
    size: Type.Integer({ description: 'Bytes' }),
    mode: Type.Integer({ description: 'The twelve bits of chmod(2): 420 is 0644' }),
    modifiedAt: timestamp('When its content last changed'),
    target: Type.Optional(Type.String({ description: 'Where a link points, as it is written there' })),
  }),
  async run(params, { files }) {
    const named = workspacePath(params.path, 'path');
    const { type, size, mode, modifiedAt, target } = await files.stat(named);
    const result = { name: basename(named), path: named, type, size, mode };
    const time = new Date(modifiedAt).toISOString();
    return { result: { ...result, modifiedAt: time, ...(target !== null && { target }) } };
  },
});
