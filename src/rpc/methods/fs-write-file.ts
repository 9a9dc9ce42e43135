import { writeFile } from '../../commands/write-file.ts';
import { commandMethod } from '../command-method.ts';

export const fsWriteFile = commandMethod('fs.writeFile', writeFile);
