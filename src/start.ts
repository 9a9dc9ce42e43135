import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { trim } from './agent/trim.ts';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { openDataDir } from './data-dir.ts';
import { collectAll, MemoryBack } from './memory-back.ts';
import { createMetrics } from './metrics.ts';
import { certificatesFor } from './network/certificates.ts';
import { openNetworks } from './network/open-networks.ts';
import { LayerStore } from './packages/layer-store.ts';
import { PortNames } from './port-names.ts';
import { takePrecedence } from './precedence.ts';
import { createRuntimes } from './runtimes/index.ts';
import { createService } from './service/index.ts';
import type { Service } from './service/service.ts';
import { EndedSessions } from './service/sessions/ended-sessions.ts';
import { ExecutionStore } from './service/store/execution-store.ts';
import { startupReport } from './startup-report.ts';
import { VERSION } from './version.ts';

export interface Start {
  readonly config: Config;
  readonly log: Logger;
  /** What has been opened is closed with it, in reverse order. */
  readonly closing: AsyncDisposableStack;
  /** Called once there is a service, long before programs can be run. */
  onService(service: Service): void;
}

/**
 * Starts everything and resolves when programs can be run: locks the data directory, opens the doors, tries the
 * runtimes.
 */
export async function start({ config, log, closing, onService }: Start): Promise<void> {
  const { dataDir, host, port } = config;
  takePrecedence();
  const { instance, close } = openDataDir(dataDir);
  closing.defer(close);
  const { runtimes: wanted, images, poolSize } = config;
  const layers =
    config.packages === 'on'
      ? new LayerStore(join(dataDir, 'packages'), { maxBytes: config.packagesBytes })
      : null;
  const metrics = createMetrics();
  metrics.use.add(
    new MemoryBack(() => {
      collectAll();
      trim();
    }),
  );
  metrics.use.begin();
  const networks = openNetworks(config, { instance, metrics, log });
  closing.use(networks);
  const fork = config.fork === 'on';
  const runtimes = createRuntimes({
    instance,
    dataDir,
    images,
    packages: layers,
    certificates: networks.forPrograms && certificatesFor(config.caFile),
    fork,
    ...(wanted && { runtimes: wanted }),
    ...(poolSize !== undefined && { poolSize }),
    onSandbox: ({ runtime, pooled, seconds }) =>
      metrics.sandboxCreation.observe({ runtime, pool: pooled ? 'hit' : 'miss' }, seconds),
    onFailedStart: ({ runtime, shortage }) => metrics.failedStarts.inc({ runtime, reason: shortage }),
  });
  closing.use(runtimes);
  const { retentionHours: hours, maxExecutions: executions, maxStoreBytes: bytes } = config;
  const store = await ExecutionStore.open(join(dataDir, 'executions.sqlite'), { hours, executions, bytes });
  closing.defer(() => store.close());
  const endedSessions = new EndedSessions(join(dataDir, 'ended-sessions.json'));
  const portNames = new PortNames(config.portOrigin);
  const service = createService({
    config,
    runtimes,
    store,
    layers,
    networks,
    portNames,
    instance,
    endedSessions,
    metrics,
    log,
  });
  onService(service);
  const app = await buildApp({ config, service, portNames, metrics, log });
  // The service closes first, so that running work is answered while the doors are open.
  closing.defer(() => app.close());
  closing.defer(() => service.close());
  // Before the probes end: /health answers meanwhile, and calls that need a runtime wait.
  const { level } = app.log;
  // Fastify would say in the middle of what is printed that it listens.
  app.log.level = 'warn';
  await app.listen({ host, port });
  app.log.level = level;
  portNames.listensOn((app.server.address() as AddressInfo).port);
  const address = addressOf(app.server.address() as AddressInfo);
  console.log(
    `CodeBeaker ${VERSION} starts on ${address} and tries what can run code on this machine. That takes some seconds; ` +
      '/health answers meanwhile.',
  );
  await runtimes.warm;
  metrics.use.end();
  console.log(
    startupReport({
      config,
      environment: process.env,
      runtimes: runtimes.all,
      address,
      // Since the process began.
      seconds: performance.now() / 1000,
    }),
  );
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
