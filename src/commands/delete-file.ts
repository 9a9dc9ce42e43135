import { Type } from '@sinclair/typebox';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { path } from './fields.ts';
import { asNamed, entryIn } from './paths.ts';

export const deleteFile = defineCommand({
  type: 'delete_file',
  summary: 'Deletes a file, or with recursive a directory',
  params: closed({
    path,
    recursive: Type.Optional(
      Type.Boolean({ default: false, description: 'Deletes a directory too, with all that is in it' }),
    ),
  }),
  result: Type.Object({
    path: Type.String({ description: 'Absolute, below /workspace' }),
    deleted: Type.Boolean({ description: "Always true: what can't be deleted is an error" }),
  }),
  async run({ path, recursive = false }, { files }) {
    const target = entryIn(path, 'path');
    await files.remove(asNamed(target, path), { recursive });
    return { result: { path: target, deleted: true } };
  },
});
