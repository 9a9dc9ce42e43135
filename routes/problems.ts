import { ERRORS, type ErrorCode } from '../src/errors.ts';
import { Problem } from '../src/schemas/problem.ts';

const WORDS = {
  400: 'A field is wrong; the message names it',
  401: 'No valid key',
  403: 'A foreign Origin or Host',
  404: 'Nothing of that name, or not yours',
  409: 'Not in this state',
  412: 'The file is not what the request expects',
  413: 'Over 32 MiB',
  415: 'Not of a type that is read here',
  416: 'The file has no such part',
  422: 'Fine in itself, and nothing here can honour it',
  429: 'Too much; try again after Retry-After seconds',
  500: 'Our fault',
  503: 'Too busy; try again after Retry-After seconds',
  507: 'The disk of the sandbox is full',
} as const;
type Status = keyof typeof WORDS;

/** A sentence of each error that a REST client may get. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  VALIDATION_ERROR: 'code: must not have fewer than 1 characters',
  UNAUTHORIZED: 'Send a valid key: Authorization: Bearer KEY, or X-API-Key',
  FORBIDDEN: 'This Host is not served here',
  NOT_FOUND: 'Execution not found: 0f0c3a53-6a0e-4f6e-9f0c-b1f5a1a9d6c2',
  SESSION_NOT_FOUND: 'Session not found: 5f1c8a9e-2f7b-4c1d-8a43-6f0d2c7b9e10',
  SESSION_CLOSED: 'The session is being closed',
  CONFLICT: 'context: a session has at most 256 interpreters',
  DIGEST_MISMATCH: 'The body has another digest; nothing was changed',
  PRECONDITION_FAILED: 'It is another version by now: /workspace/data.csv',
  PAYLOAD_TOO_LARGE: 'The body is too large',
  UNSUPPORTED_MEDIA_TYPE: 'content-type: must be application/json',
  RANGE_NOT_SATISFIABLE: 'range: the file has 1000 bytes',
  UNSUPPORTED_LANGUAGE: 'language: "cobol" is not a language of this server, which has python, javascript',
  RUNTIME_UNAVAILABLE: 'No runtime can run go now',
  NOT_SUPPORTED: 'dockerImage: nothing on this server runs images',
  RATE_LIMITED: 'More than 5 requests a second',
  TOO_MANY_SESSIONS: 'There are 1000 sessions already; try again later',
  QUEUE_FULL: 'Too much is waiting already; try again later',
  SHUTTING_DOWN: 'The server is shutting down',
  STORAGE_UNAVAILABLE: 'Executions cannot be kept: the disk is full',
  DISK_FULL: 'No space left in the sandbox: /workspace/data.bin',
  INTERNAL_ERROR: 'Internal error',
};

/**
 * The refusals of an operation, for its `response` schemas, with an example of each code. A status stands for
 * every code that has it; a code for itself.
 */
export function problems(...refusals: (Status | ErrorCode)[]) {
  const all = [...refusals, 401, 403, 429, 500] as const;
  const codes = all.flatMap(each => (typeof each === 'string' ? [each] : codesOf(each)));
  return Object.fromEntries(
    (Object.keys(WORDS).map(Number) as Status[]).flatMap(status => {
      const own = codes.filter(code => ERRORS[code].status === status);
      return own.length > 0 ? [[status, response(status, own)]] : [];
    }),
  );
}

function codesOf(status: Status): ErrorCode[] {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return codes.filter(code => ERRORS[code].status === status && SENTENCES[code] !== undefined);
}

function response(status: Status, codes: readonly ErrorCode[]) {
  const examples = codes.map(code => [
    code,
    { value: { code, message: SENTENCES[code], timestamp: '2026-01-01T00:00:00.000Z' } },
  ]);
  return {
    description: WORDS[status],
    content: { 'application/json': { schema: Problem, examples: Object.fromEntries(examples) } },
  };
}
