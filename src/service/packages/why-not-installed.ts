import { ServiceError } from '../../errors.ts';
import type { InstallFailed } from '../../packages/install-failed.ts';

/** For who reads what a run printed. */
export function whyNotInstalled({ message, reason, words }: InstallFailed): string {
  return `${message} (${reason})${words && `\n${words}`}`;
}

/** A session is not there without the packages that were asked for it. */
export function asServiceError({ message, reason, words }: InstallFailed, field: string): ServiceError {
  return new ServiceError('COMMAND_FAILED', `${field}: ${message}`, { field, reason, details: words });
}
