import { defineCommand } from './command.ts';
import { twoPaths, twoPathsOlder, twoPathsResult } from './fields.ts';
import { fileIn } from './paths.ts';

export const copyFile = defineCommand({
  type: 'copy_file',
  summary: 'Copies a file',
  params: twoPaths,
  olderFields: twoPathsOlder,
  result: twoPathsResult,
  async run(params, { files }) {
    const sourcePath = fileIn(params.sourcePath, 'sourcePath');
    const destinationPath = fileIn(params.destinationPath, 'destinationPath');
    const overwrite = params.overwrite ?? true;
    const bytes = await files.copy(sourcePath, destinationPath, { overwrite });
    return { result: { sourcePath, destinationPath, bytes } };
  },
});
