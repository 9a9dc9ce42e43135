import type { JSONRPCErrorResponse, JSONRPCID } from 'json-rpc-2.0';
import { ERRORS, ServiceError } from '../errors.ts';
import { failure } from './envelope.ts';

/** An error as clients see it: a ServiceError in full, anything else as `Internal error`. */
export function rpcError(id: JSONRPCID, error: unknown): JSONRPCErrorResponse {
  if (!(error instanceof ServiceError)) {
    return failure(id, ERRORS.INTERNAL_ERROR.rpc, 'Internal error', { code: 'INTERNAL_ERROR' });
  }
  const { code, message, field, details, retryAfter, reason } = error;
  return failure(id, ERRORS[code].rpc, message, {
    code,
    ...(field !== undefined && { field }),
    ...(details !== undefined && { details }),
    ...(reason !== undefined && { reason }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}
