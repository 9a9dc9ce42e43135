const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

/**
 * What was not done, and why. A program that fails is no error but a result. `code` is the service's, as
 * `SESSION_NOT_FOUND`, or one of three of the client's own: `UNREACHABLE`, `CONNECTION_LOST` (whether it was done is not known)
 * and `COMMAND_FAILED`.
 */
export class CodeBeakerError extends Error {
  override readonly name = 'CodeBeakerError';
  readonly code: string;
  /** The field of the request that is wrong, where that came over a WebSocket; else `message` begins with it. */
  readonly field: string | undefined;
  readonly details: string | undefined;
  readonly reason: string | undefined;
  /** Seconds after which trying again may help. */
  readonly retryAfter: number | undefined;

  /** @param said what came with it; of that, what is known here is kept */
  constructor(code: string, message: string, said: object = {}) {
    super(message);
    const { field, details, reason, retryAfter } = said as Readonly<Record<string, unknown>>;
    this.code = code;
    this.field = textOf(field);
    this.details = textOf(details);
    this.reason = textOf(reason);
    this.retryAfter = typeof retryAfter === 'number' ? retryAfter : undefined;
  }
}

/** An error of JSON-RPC. */
export const saidOf = ({ message, data }: { message: string; data?: { code?: string } }) =>
  new CodeBeakerError(data?.code ?? 'ERROR', message, data);

export const unreachable = (url: string, why: unknown) =>
  new CodeBeakerError('UNREACHABLE', `No answer from ${url}: ${reasonOf(why)}`);

export const connectionLost = (why?: unknown) =>
  new CodeBeakerError(
    'CONNECTION_LOST',
    `The connection was lost before the answer: whether it was done is not known${why === undefined ? '' : ` (${reasonOf(why)})`}`,
  );

/** Of requests that were never sent: of Node.js and Deno, and of Bun. */
const NOT_SENT = new Set<unknown>(['ECONNREFUSED', 'ENOTFOUND', 'ConnectionRefused']);

/** What a request failed with that has no answer, or only a part of one. */
export function unanswered(method: string, url: string, why: unknown): CodeBeakerError {
  const { code, cause } = (why ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const isDoubtful = method !== 'GET' && !NOT_SENT.has(cause?.code ?? code);
  return isDoubtful ? connectionLost(why) : unreachable(url, why);
}

/** Whether asking again may help: no answer came. */
export const isUnanswered = (error: unknown) =>
  error instanceof CodeBeakerError && ['UNREACHABLE', 'CONNECTION_LOST'].includes(error.code);

/** Of a fetch that failed, the cause says more than it does. */
function reasonOf(error: unknown): string {
  const { message, cause } = (error ?? {}) as { message?: unknown; cause?: { message?: unknown } };
  return String(cause?.message || message || 'the connection failed');
}
