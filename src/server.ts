import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { DataDirLocked, DataDirShared, openDataDir } from './data-dir.ts';
import { createMetrics } from './metrics.ts';
import { createRuntimes } from './runtimes/index.ts';
import { SHORTAGES } from './runtimes/no-sandbox.ts';
import { createService } from './service/index.ts';
import { ExecutionStore } from './service/store/execution-store.ts';
import { startupReport } from './startup-report.ts';

/**
 * The process: reads the configuration, takes the data directory, probes the runtimes, opens the doors, and on a
 * signal closes all that in the opposite order. What stops the start is one sentence and exit code 1.
 */

/** How long running work may take to end once the server is told to stop. */
const GRACE_MS = 10_000;
/** What the service writes is for its own user. */
const PRIVATE = 0o077;

process.umask(PRIVATE);
const closing = new AsyncDisposableStack();
try {
  const config = readConfig(process.env);
  const log = pino({ level: config.logLevel });
  // One piece of work has gone wrong in a way that nobody thought of; that is no reason to end everybody else's.
  process.on('unhandledRejection', err => log.error({ err }, 'a rejection that nobody awaited'));
  closeWithGrace(
    { delay: GRACE_MS, logger: false, skip: ['unhandledRejection'] },
    async ({ err, signal }) => {
      if (err) log.fatal({ err }, 'the server ends');
      else log.info(`${signal ?? 'Nothing left to do'}: the server ends`);
      await closing.disposeAsync();
    },
  );
  await start(config, log);
} catch (error) {
  console.error(sentence(error));
  await closing.disposeAsync();
  process.exit(1);
}

async function start(config: Config, log: Logger): Promise<void> {
  const { dataDir, host, port } = config;
  const { instance, close } = openDataDir(dataDir);
  closing.defer(close);
  const { runtimes: wanted, images, poolSize } = config;
  const fork = config.fork === 'on';
  const metrics = createMetrics();
  const runtimes = createRuntimes({
    instance,
    dataDir,
    images,
    fork,
    ...(wanted && { runtimes: wanted }),
    ...(poolSize !== undefined && { poolSize }),
    onSandbox: ({ runtime, pooled, seconds }) =>
      metrics.sandboxCreation.observe({ runtime, pool: pooled ? 'hit' : 'miss' }, seconds),
    onFailedStart: ({ runtime, shortage }) => metrics.failedStarts.inc({ runtime, reason: shortage }),
  });
  closing.use(runtimes);
  // A counter that is there before it first counts can be compared.
  for (const { type: runtime } of runtimes.all)
    for (const reason of SHORTAGES) metrics.failedStarts.inc({ runtime, reason }, 0);
  const { retentionHours: hours, maxExecutions: executions, maxStoreBytes: bytes } = config;
  const store = await ExecutionStore.open(join(dataDir, 'executions.sqlite'), { hours, executions, bytes });
  closing.defer(() => store.close());
  const service = createService({ config, runtimes, store, metrics, log });
  const app = await buildApp({ config, service, metrics, log });
  // The service ends first: what runs is answered while the doors are still open.
  closing.defer(() => app.close());
  closing.defer(() => service.close());
  // Before the probes end: a port that is taken is reported at once, and /health answers meanwhile.
  await app.listen({ host, port });
  const address = addressOf(app.server.address() as AddressInfo);
  console.log(
    `Probing what can run code on this machine takes some seconds; ${address}/health answers meanwhile.`,
  );
  await runtimes.started;
  console.log(startupReport(config, runtimes.all));
  console.log(`CodeBeaker listens on ${address}`);
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function sentence(error: unknown): string {
  const known = [ConfigError, DataDirLocked, DataDirShared].some(kind => error instanceof kind);
  if (known) return (error as Error).message;
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${address} is in use: stop what listens there, or set PORT.`;
  // What the system refused says it all: a directory that can't be written, an address that is not ours.
  const { message, stack } = error instanceof Error ? error : { message: String(error) };
  return `The server could not start: ${code ? message : (stack ?? message)}`;
}
