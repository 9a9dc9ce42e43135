import { type ErrorCode, ServiceError } from '../errors.ts';
import { FileRefused, type RefusalReason, SandboxLost } from '../sandbox.ts';

const CODES: Record<RefusalReason, ErrorCode> = {
  missing: 'NOT_FOUND',
  exists: 'CONFLICT',
  other_type: 'CONFLICT',
  full: 'DISK_FULL',
  denied: 'COMMAND_FAILED',
  changed: 'PRECONDITION_FAILED',
  refused: 'COMMAND_FAILED',
};

/** What a sandbox refused, as an error of the service's. */
export async function asServiceError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw serviceError(error);
  }
}

export function codeOf({ reason }: FileRefused): ErrorCode {
  return CODES[reason];
}

export function serviceError(error: unknown): unknown {
  if (error instanceof FileRefused) return new ServiceError(codeOf(error), error.message);
  if (error instanceof SandboxLost)
    return new ServiceError('SESSION_CLOSED', `The sandbox was lost: ${error.message}`);
  return error;
}
