import { Type } from '@sinclair/typebox';
import type { Files } from '../sandbox.ts';
import { closed } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { path } from './fields.ts';
import { asNamed, entryIn, fileIn } from './paths.ts';

/** What copy_file and move_file share: all but the act. */
export function transferCommand<const T extends string>(type: T, summary: string, act: 'copy' | 'move') {
  return defineCommand({
    type,
    summary,
    params: closed({
      sourcePath: path,
      destinationPath: path,
      overwrite: Type.Optional(
        Type.Boolean({ default: true, description: 'false: fails where something has that name' }),
      ),
    }),
    olderFields: { source: 'sourcePath', destination: 'destinationPath' },
    result: Type.Object({
      sourcePath: Type.String({ description: 'Absolute, below /workspace' }),
      destinationPath: Type.String({ description: 'Absolute, below /workspace' }),
      bytes: Type.Integer({ description: 'Size of the file' }),
    }),
    async run(params, { files }: { files: Files }) {
      const within = act === 'copy' ? fileIn : entryIn;
      const sourcePath = within(params.sourcePath, 'sourcePath');
      const destinationPath = within(params.destinationPath, 'destinationPath');
      const from = asNamed(sourcePath, params.sourcePath);
      const to = asNamed(destinationPath, params.destinationPath);
      const bytes = await files[act](from, to, { overwrite: params.overwrite ?? true });
      return { result: { sourcePath, destinationPath, bytes } };
    },
  });
}
