import { readFileSync } from 'node:fs';
import { CodeBeaker } from '../client/client.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { reasonOf } from './reason-of.ts';

export interface Server {
  readonly url: string;
  readonly key: string | undefined;
}

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
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new UsageError(`--key-file ${file} must hold one key and nothing else.`);
  return key;
}

export const clientOf = (args: Arguments) => new CodeBeaker(serverOf(args));
