import { resolve } from 'node:path/posix';
import { invalid } from '../errors.ts';
import { WORKSPACE } from '../sandbox.ts';
import { pathBytes } from '../wire/path-bytes.ts';

const MAX_PATH_BYTES = 4096;
const MAX_PART_BYTES = 255;
/** Most bytes of UTF-8 for one unit of a text's length. */
const BYTES_OF_UNIT = 3;

/**
 * Turns a client's path into an absolute one inside /workspace, by its text alone: relative paths start there, and
 * what leaves it is a bad parameter named `field`. Symbolic links are the agent's part, at run time.
 */
export function workspacePath(path: string, field: string): string {
  if (path === '') throw invalid(field, 'must not be empty');
  if (path.includes('\0')) throw invalid(field, 'must not contain NUL');
  if (isOver(path, MAX_PATH_BYTES)) throw invalid(field, `is over ${MAX_PATH_BYTES} bytes`);
  const parts: string[] = [];
  for (const part of belowWorkspace(path, field).split('/')) {
    if (isOver(part, MAX_PART_BYTES)) throw invalid(field, `has a part over ${MAX_PART_BYTES} bytes`);
    if (part === '..') {
      if (parts.pop() === undefined) throw invalid(field, `leaves ${WORKSPACE}`);
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return [WORKSPACE, ...parts].join('/');
}

/** Most are so short that their bytes need not be counted. */
function isOver(text: string, bytes: number): boolean {
  return text.length * BYTES_OF_UNIT > bytes && pathBytes(text).byteLength > bytes;
}

function belowWorkspace(path: string, field: string): string {
  if (!path.startsWith('/')) return path;
  if (path === WORKSPACE || path.startsWith(`${WORKSPACE}/`)) return path.slice(WORKSPACE.length);
  throw invalid(field, `leaves ${WORKSPACE}`);
}

/** Turns a client's path into an absolute one, by its text alone: relative paths start at `home`. */
export function directoryIn(home: string, path: string, field: string): string {
  if (path.includes('\0')) throw invalid(field, 'must not contain NUL');
  if (isOver(path, MAX_PATH_BYTES)) throw invalid(field, `is over ${MAX_PATH_BYTES} bytes`);
  return resolve(home, path);
}

/** As {@link workspacePath}, for what must be something below /workspace and not /workspace itself. */
export function entryIn(path: string, field: string): string {
  const absolute = workspacePath(path, field);
  if (absolute === WORKSPACE) throw invalid(field, 'must name a file or directory in /workspace');
  return absolute;
}

/** The same for what can't be a directory. */
export function fileIn(path: string, field: string): string {
  const absolute = entryIn(path, field);
  if (namesDirectory(path)) throw invalid(field, 'names a directory, and must name a file');
  return absolute;
}

/** As {@link entryIn} gives it, with a slash where the client's own ends so: a file that lies there is not what is meant. */
export function asNamed(absolute: string, path: string): string {
  return namesDirectory(path) ? `${absolute}/` : absolute;
}

function namesDirectory(path: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(path);
}
