/**
 * Every error the service itself can answer with, in one table: its HTTP status, its JSON-RPC number and whether
 * trying again may help. Thrown anywhere, turned into an answer only at the two front doors. How a program ended is
 * never an error: see {@link Outcome} in schemas/outcome.ts.
 */

/** JSON-RPC numbers below -32000 are the protocol's; ours are in -31000…-31999. */
export const ERRORS = {
  VALIDATION_ERROR: { status: 400, rpc: -32602, retryable: false },
  UNAUTHORIZED: { status: 401, rpc: -31001, retryable: false },
  FORBIDDEN: { status: 403, rpc: -31003, retryable: false },
  NOT_FOUND: { status: 404, rpc: -31004, retryable: false },
  SESSION_NOT_FOUND: { status: 404, rpc: -31014, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, rpc: -31005, retryable: false },
  SESSION_CLOSED: { status: 409, rpc: -31009, retryable: false },
  CONFLICT: { status: 409, rpc: -31019, retryable: false },
  DIGEST_MISMATCH: { status: 409, rpc: -31049, retryable: false },
  PRECONDITION_FAILED: { status: 412, rpc: -31012, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, rpc: -31013, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, rpc: -31015, retryable: false },
  RANGE_NOT_SATISFIABLE: { status: 416, rpc: -31016, retryable: false },
  UNSUPPORTED_LANGUAGE: { status: 422, rpc: -31022, retryable: false },
  RUNTIME_UNAVAILABLE: { status: 422, rpc: -31032, retryable: false },
  NOT_SUPPORTED: { status: 422, rpc: -31042, retryable: false },
  COMMAND_FAILED: { status: 422, rpc: -31052, retryable: false },
  RATE_LIMITED: { status: 429, rpc: -31029, retryable: true },
  TOO_MANY_SESSIONS: { status: 429, rpc: -31039, retryable: true },
  QUEUE_FULL: { status: 503, rpc: -31053, retryable: true },
  SHUTTING_DOWN: { status: 503, rpc: -31063, retryable: true },
  STORAGE_UNAVAILABLE: { status: 503, rpc: -31073, retryable: true },
  CANCELLED: { status: 409, rpc: -32800, retryable: false },
  DISK_FULL: { status: 507, rpc: -31007, retryable: false },
  INTERNAL_ERROR: { status: 500, rpc: -32603, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal. `message` and `details` are sent to the client, so they must not contain stacks or host paths. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly details: string | undefined;
  /** The path of the bad field, e.g. `config.timeout`. */
  readonly field: string | undefined;
  /** Seconds after which trying again makes sense; for retryable codes. */
  readonly retryAfter: number | undefined;
  /** Why, as one word for programs, e.g. `idle` of a session that has ended. */
  readonly reason: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    extra: { details?: string; field?: string; retryAfter?: number; reason?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: extra.cause });
    this.code = code;
    this.details = extra.details;
    this.field = extra.field;
    this.reason = extra.reason;
    this.retryAfter = extra.retryAfter ?? (ERRORS[code].retryable ? 1 : undefined);
  }
}

/** What a refusal says beside its code and message, in the order in which answers have it. */
export function moreOf({ field, details, reason, retryAfter }: ServiceError) {
  return {
    ...(field !== undefined && { field }),
    ...(details !== undefined && { details }),
    ...(reason !== undefined && { reason }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

/** The same refusal with another path for its field; the message begins with it where it did. */
export function renamed(error: ServiceError, field: string): ServiceError {
  const { code, details, message } = error;
  const text = message.startsWith(`${error.field}: `) ? field + message.slice(error.field?.length) : message;
  return new ServiceError(code, text, {
    field,
    cause: error.cause,
    ...(details !== undefined && { details }),
  });
}

/** A bad parameter; the message begins with the field's path. */
export function invalid(field: string, problem: string): ServiceError {
  return new ServiceError('VALIDATION_ERROR', `${field}: ${problem}`, { field });
}

/** An option that is fine in itself and that nothing here can honour. */
export function notSupported(field: string, problem: string): ServiceError {
  return new ServiceError('NOT_SUPPORTED', `${field}: ${problem}`, { field });
}

/** Nothing new is taken, and what ran was cut off. `details` says what of it is kept. */
export function shuttingDown(details?: string): ServiceError {
  return new ServiceError('SHUTTING_DOWN', 'The server is shutting down', {
    ...(details !== undefined && { details }),
  });
}

/** The caller does not want the answer any more. */
export function cancelled(): ServiceError {
  return new ServiceError('CANCELLED', 'Cancelled');
}
