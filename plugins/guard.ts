import type { FastifyInstance } from 'fastify';
import type { Config } from '../src/config.ts';
import { ServiceError } from '../src/errors.ts';
import { isLoopback } from '../src/loopback.ts';
import type { PortNames } from '../src/port-names.ts';

/**
 * Refuses web pages of other origins: a browser lets any page open a WebSocket to localhost, and a foreign
 * host name can resolve to it. Programs send no Origin and pass.
 */
export function guardOrigins(app: FastifyInstance, config: Config, names: PortNames): void {
  const mayCome = originCheck(config, names);
  const allowedHosts = new Set(config.allowedOrigins.map(origin => new URL(origin).host));
  app.addHook('onRequest', (request, _, done) => {
    const { origin, host } = request.headers;
    if (
      isLoopback(config.host) &&
      host !== undefined &&
      !isLoopback(nameOf(host)) &&
      !allowedHosts.has(host)
    ) {
      throw new ServiceError(
        'FORBIDDEN',
        'This Host is not served here: while HOST is a loopback address, it must be one too, or of CODEBEAKER_ALLOWED_ORIGINS',
      );
    }
    if (!mayCome(origin, host)) {
      throw new ServiceError(
        'FORBIDDEN',
        'Pages of this Origin may not call: see CODEBEAKER_ALLOWED_ORIGINS',
      );
    }
    done();
  });
}

/**
 * Whether a request's origin is allowed: none, loopback, the service's own, or one in the configuration; and none of a sandbox's port, whatever
 * its name.
 */
export function originCheck(
  config: Config,
  names: PortNames,
): (origin: string | undefined, host: string | undefined) => boolean {
  const allowed = new Set(config.allowedOrigins.map(origin => origin.toLowerCase()));
  return (origin, host) => {
    if (origin === undefined) return true;
    if (allowed.has(origin.toLowerCase())) return true;
    const url = URL.parse(origin);
    if (!url || !/^https?:$/.test(url.protocol) || names.labelIn(url.host) !== null) return false;
    return isLoopback(url.hostname) || url.host === host?.toLowerCase();
  };
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, '');
}
