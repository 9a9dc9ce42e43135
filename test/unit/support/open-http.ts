import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { buildApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { createMetrics } from '../../../src/metrics.ts';
import { openService, type ServiceOptions } from './open-service.ts';

/** All doors over the real service layer and a runtime in memory, on a port of this machine. */
export async function openHttp(environment: Record<string, string> = {}, options: ServiceOptions = {}) {
  const all = openService(options);
  const app = await buildApp({
    config: readConfig(environment),
    service: all.service,
    // Of its own: an app adds to them, and test files share what is imported.
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    ...all,
    app,
    url,
    port,
    /** Sends `sent` of a body that is announced as longer, and then cuts the connection. */
    cutAfter: (path: string, headers: Record<string, string>, sent: Uint8Array) =>
      new Promise<void>(resolve => {
        const cut = request(`${url}${path}`, { method: 'PUT', headers });
        cut.on('error', () => resolve());
        cut.on('close', () => resolve());
        cut.write(sent, () => cut.destroy());
      }),
  };
}
