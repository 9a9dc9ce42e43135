import type { Static } from '@sinclair/typebox';
import { applyPatch } from './apply-patch.ts';
import type { Command } from './command.ts';
import { copyFile } from './copy-file.ts';
import { createDirectory } from './create-directory.ts';
import { deleteFile } from './delete-file.ts';
import { diff } from './diff.ts';
import { executeCode } from './execute-code.ts';
import { executeShell } from './execute-shell.ts';
import { installPackages } from './install-packages.ts';
import { listDirectory } from './list-directory.ts';
import { moveFile } from './move-file.ts';
import { readFile } from './read-file.ts';
import { restartContext } from './restart-context.ts';
import { stat } from './stat.ts';
import { writeFile } from './write-file.ts';

/** Every command a session knows. A line here registers it at both doors and in both contracts. */
export const commands = [
  executeCode,
  restartContext,
  installPackages,
  writeFile,
  readFile,
  executeShell,
  createDirectory,
  copyFile,
  moveFile,
  deleteFile,
  listDirectory,
  stat,
  diff,
  applyPatch,
] as const satisfies readonly Command[];

/** What a client asks of a session, validated: a union told apart by `type`. Made by parseCommand, at the door. */
export type CommandRequest = {
  [C in (typeof commands)[number] as C['type']]: {
    readonly type: C['type'];
    /** The client's own id of it. */
    readonly id: string | undefined;
    readonly params: Static<C['params']>;
    /** Where the fields lie in the client's message, for errors that name one: `command`, `command.params` or empty. */
    readonly at: string;
  };
}[(typeof commands)[number]['type']];
