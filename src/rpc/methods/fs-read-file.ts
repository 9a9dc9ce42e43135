import { readFile } from '../../commands/read-file.ts';
import { commandMethod } from '../command-method.ts';

export const fsReadFile = commandMethod('fs.readFile', readFile);
