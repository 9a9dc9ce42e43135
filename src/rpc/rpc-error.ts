import type { JSONRPCErrorResponse, JSONRPCID } from 'json-rpc-2.0';
import { ERRORS, moreOf, ServiceError } from '../errors.ts';
import { failure } from './envelope.ts';

/** An error as clients see it: a ServiceError in full, anything else as `Internal error`. */
export function rpcError(id: JSONRPCID, error: unknown): JSONRPCErrorResponse {
  if (!(error instanceof ServiceError)) {
    return failure(id, ERRORS.INTERNAL_ERROR.rpc, 'Internal error', { code: 'INTERNAL_ERROR' });
  }
  const { code, message } = error;
  return failure(id, ERRORS[code].rpc, message, { code, ...moreOf(error) });
}
