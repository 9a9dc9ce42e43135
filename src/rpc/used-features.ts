import type { CommandRequest } from '../commands/index.ts';
import { notSupported } from '../errors.ts';
import type { ExecuteRequest } from '../schemas/execution.ts';
import type { Feature } from '../schemas/features.ts';
import type { SessionConfig } from '../schemas/session.ts';
import type { ClientConnection } from './method.ts';

/** @throws {ServiceError} NOT_SUPPORTED: the client's `initialize` left the feature off */
export function checkRequested(feature: Feature, field: string, { features }: ClientConnection): void {
  if (features.has(feature)) return;
  throw notSupported(field, `this client did not ask for requests${feature} in initialize`);
}

/** Checks the features that a command uses. @throws {ServiceError} NOT_SUPPORTED naming the field that uses one that is off */
export function checkCommand({ type, params, at }: CommandRequest, connection: ClientConnection): void {
  const path = (field: string) => (at ? `${at}.${field}` : field);
  if ('packages' in params && params.packages) checkRequested('Packages', path('packages'), connection);
  if (type === 'install_packages') checkRequested('Packages', path('requirementsFile'), connection);
  if ('pty' in params && params.pty) checkRequested('Terminals', path('pty'), connection);
}

/** The same of a session. */
export function checkSession(
  { packages, networkEnabled, network }: SessionConfig,
  connection: ClientConnection,
): void {
  if (packages) checkRequested('Packages', 'packages', connection);
  if (networkEnabled) checkRequested('Network', 'networkEnabled', connection);
  if (network) checkRequested('Network', 'network', connection);
}

/** The same of a one-shot. */
export function checkExecution({ config }: ExecuteRequest, connection: ClientConnection): void {
  if (config?.packages) checkRequested('Packages', 'config.packages', connection);
  if (config?.disableNetwork === false) checkRequested('Network', 'config.disableNetwork', connection);
  if (config?.network) checkRequested('Network', 'config.network', connection);
}
