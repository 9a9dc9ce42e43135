import { transferCommand } from './transfer.ts';

export const copyFile = transferCommand('copy_file', 'Copies a file', 'copy');
