import { readFileSync, statSync } from 'node:fs';
import { CodeBeaker } from '../client/client.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { tell } from './print.ts';
import { reasonOf } from './reason-of.ts';

export interface Server {
  readonly url: string;
  readonly key: string | undefined;
}

/** Of a file's mode: the group and others may read it. */
const OTHERS_READ = 0o044;
const URL_BY_DEFAULT = 'http://127.0.0.1:5039';

/** The server that a call means, by its options and the environment. @throws {UsageError} */
export function serverOf(args: Arguments): Server {
  const option = args.text('url');
  const named = option ?? (process.env.CODEBEAKER_URL || URL_BY_DEFAULT);
  const url = URL.parse(named);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new UsageError(
      `${option === undefined ? 'CODEBEAKER_URL' : '--url'} can't be ${JSON.stringify(named)}: must be a URL such as ${URL_BY_DEFAULT}.`,
    );
  return { url: url.href, key: keyOf(args.text('key-file')) };
}

/** A key is never an argument: everybody on a machine sees those. */
function keyOf(file: string | undefined): string | undefined {
  if (file === undefined) return process.env.CODEBEAKER_API_KEY || undefined;
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--key-file ${file} can't be read: ${reasonOf(error)}.`);
  }
  warnOfReaders(file);
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new UsageError(`--key-file ${file} must hold one key and nothing else.`);
  return key;
}

/** Files that it was said of. */
const warned = new Set<string>();

/** No more than a warning: what hands secrets to containers makes files that all may read. */
function warnOfReaders(file: string): void {
  if (warned.has(file)) return;
  warned.add(file);
  const status = statSync(file);
  // A pipe of a shell's <(…) is nobody else's; on Windows these bits say nothing.
  if (process.platform === 'win32' || !status.isFile()) return;
  if (status.mode & OTHERS_READ)
    tell(`--key-file ${file} can be read by others on this machine: chmod 600 it.`);
}

export const clientOf = (args: Arguments) => new CodeBeaker(serverOf(args));
