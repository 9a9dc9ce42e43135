import { closeSession } from './close-session.ts';
import { createSession } from './create-session.ts';
import { executeCode } from './execute-code.ts';
import { listFiles } from './list-files.ts';
import { readFile } from './read-file.ts';
import { runCommand } from './run-command.ts';
import type { Tool } from './tool.ts';
import { writeFile } from './write-file.ts';

/** Every tool, as clients list them. */
export const tools: readonly Tool[] = [
  executeCode,
  runCommand,
  writeFile,
  readFile,
  listFiles,
  createSession,
  closeSession,
];
