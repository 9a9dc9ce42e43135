import { defineCommand } from './command.ts';
import { twoPaths, twoPathsOlder, twoPathsResult } from './fields.ts';
import { fileIn } from './paths.ts';

export const moveFile = defineCommand({
  type: 'move_file',
  summary: 'Moves a file or directory',
  params: twoPaths,
  olderFields: twoPathsOlder,
  result: twoPathsResult,
  async run(params, { files }) {
    const sourcePath = fileIn(params.sourcePath, 'sourcePath');
    const destinationPath = fileIn(params.destinationPath, 'destinationPath');
    const overwrite = params.overwrite ?? true;
    const bytes = await files.move(sourcePath, destinationPath, { overwrite });
    return { result: { sourcePath, destinationPath, bytes } };
  },
});
