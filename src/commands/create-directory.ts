import { Type } from '@sinclair/typebox';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { path } from './fields.ts';
import { workspacePath } from './paths.ts';

export const createDirectory = defineCommand({
  type: 'create_directory',
  aliases: ['create_dir'],
  summary: 'Makes a directory and, unless told otherwise, its parents',
  params: closed({
    path,
    recursive: Type.Optional(Type.Boolean({ default: true, description: 'Makes its parents too' })),
  }),
  result: Type.Object({
    path: Type.String({ description: 'Absolute, below /workspace' }),
    created: Type.Boolean({ description: 'false: it was there already' }),
  }),
  async run({ path, recursive = true }, { files }) {
    const target = workspacePath(path, 'path');
    return { result: { path: target, created: await files.makeDirectory(target, { recursive }) } };
  },
});
