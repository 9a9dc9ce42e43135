import { ERRORS, type ErrorCode, ServiceError } from '../src/errors.ts';
import type { Problem } from '../src/schemas/problem.ts';

export interface ProblemReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** Fastify's own refusals, by their code (https://fastify.dev/docs/latest/Reference/Errors/). */
const OURS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'content-type: must be application/json'],
};

/** An error as HTTP clients see it; null for an unexpected one. */
export function problemOf(error: unknown): ProblemReply | null {
  if (error instanceof ServiceError) {
    const { code, message, details, retryAfter, reason } = error;
    const { body, ...rest } = problem(code, message, details, retryAfter);
    return { ...rest, body: { ...body, ...(reason !== undefined && { reason }) } };
  }
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  const known = OURS[code ?? ''];
  if (known) return problem(...known);
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return null;
  return { ...problem('VALIDATION_ERROR', message ?? 'Bad request'), status: statusCode };
}

export function problem(
  code: ErrorCode,
  message: string,
  details?: string,
  retryAfter?: number,
): ProblemReply {
  return {
    status: ERRORS[code].status,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) },
    body: { code, message, ...(details !== undefined && { details }), timestamp: new Date().toISOString() },
  };
}
