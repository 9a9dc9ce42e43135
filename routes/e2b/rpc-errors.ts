import type { FastifyBaseLogger } from 'fastify';
import { problemOf } from '../../plugins/problem.ts';
import { type ErrorCode, ServiceError } from '../../src/errors.ts';
import { type RpcCode, RpcError } from './connect-protocol.ts';
import { inTheirWords } from './paths.ts';

/** Ours, as the Connect protocol calls them. Others are the service's own failures. */
const CODES: Partial<Record<ErrorCode, RpcCode>> = {
  VALIDATION_ERROR: 'invalid_argument',
  NOT_FOUND: 'not_found',
  CONFLICT: 'failed_precondition',
  COMMAND_FAILED: 'permission_denied',
  DISK_FULL: 'resource_exhausted',
  PAYLOAD_TOO_LARGE: 'resource_exhausted',
  QUEUE_FULL: 'resource_exhausted',
  RATE_LIMITED: 'resource_exhausted',
  SHUTTING_DOWN: 'unavailable',
  RUNTIME_UNAVAILABLE: 'unavailable',
  STORAGE_UNAVAILABLE: 'unavailable',
  UNSUPPORTED_MEDIA_TYPE: 'unimplemented',
  NOT_SUPPORTED: 'unimplemented',
  CANCELLED: 'canceled',
};

/** Whether a call failed because its sandbox has ended. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof ServiceError && (error.code === 'SESSION_NOT_FOUND' || error.code === 'SESSION_CLOSED')
  );
}

/** What a call is answered with that failed. */
export function rpcErrorOf(error: unknown, log: Pick<FastifyBaseLogger, 'error'>): RpcError {
  if (error instanceof RpcError) return error;
  // Also what is refused before any call has been read.
  const problem = problemOf(error);
  const code = problem && CODES[problem.body.code as ErrorCode];
  if (code) return new RpcError(code, inTheirWords(problem.body.message));
  log.error({ err: error }, 'a call of an E2B client failed');
  return new RpcError('internal', 'Internal error');
}
