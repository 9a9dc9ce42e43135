import type { Arguments, Options } from './arguments.ts';

/** A command of the command line. */
export interface Command {
  /** Lines such as `run FILE [options] [-- ARGS]`. */
  readonly usage: readonly string[];
  /** Paragraphs for its help. */
  readonly about: string;
  readonly options: Options;
  /** Resolves to the exit code; @throws {UsageError | CodeBeakerError} */
  run(args: Arguments): Promise<number>;
}

/** Options of all commands that ask a server. */
export const SERVER_OPTIONS = {
  url: {
    type: 'string',
    value: 'URL',
    help: 'the server; default: CODEBEAKER_URL, or http://127.0.0.1:5039',
  },
  'key-file': {
    type: 'string',
    value: 'FILE',
    help: 'holds the key of the server; default: the key in CODEBEAKER_API_KEY',
  },
} as const satisfies Options;

export const JSON_OPTION = {
  json: { type: 'boolean', help: 'print JSON, for programs' },
} as const satisfies Options;
