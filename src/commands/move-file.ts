import { transferCommand } from './transfer.ts';

export const moveFile = transferCommand('move_file', 'Moves a file or directory', 'move');
