import { resolve } from 'node:path/posix';
import { USER_HOME, WORKSPACE } from '../../src/sandbox.ts';

/** What is at home, by the service's own name for it. */
export function isWorkspace(path: string): boolean {
  return path === WORKSPACE || path.startsWith(`${WORKSPACE}/`);
}

/** A sentence of the service's about a path, as their clients write that. */
export function inTheirWords(sentence: string): string {
  return sentence.replaceAll(WORKSPACE, USER_HOME);
}

/** A path as their clients write and are told it: absolute, with what lies at home below /home/user and nowhere else. */
export function seenPath(path: string): string {
  const absolute = resolve(USER_HOME, path.replace(/^~(?=\/|$)/, USER_HOME));
  if (isWorkspace(absolute)) return USER_HOME + absolute.slice(WORKSPACE.length);
  return absolute;
}
