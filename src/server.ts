import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { DataDirLocked, DataDirShared, openDataDir } from './data-dir.ts';
import { createMetrics } from './metrics.ts';
import { createRuntimes } from './runtimes/index.ts';
import { SHORTAGES } from './runtimes/no-sandbox.ts';
import { createService } from './service/index.ts';
import type { Service } from './service/service.ts';
import { EndedSessions } from './service/sessions/ended-sessions.ts';
import { ExecutionStore } from './service/store/execution-store.ts';
import { onShutdown } from './shutdown.ts';
import { startupReport } from './startup-report.ts';

/**
 * The server process: reads the configuration, locks the data directory, opens the doors, probes the
 * runtimes, and on a signal closes everything in reverse order. A failed start prints one sentence and exits
 * with code 1.
 */

/** Files are readable by the service's user only. */
const PRIVATE = 0o077;

process.umask(PRIVATE);
const closing = new AsyncDisposableStack();
let service: Service | undefined;
try {
  const config = readConfig(process.env);
  const log = pino({ level: config.logLevel });
  // An unexpected error in one piece of work must not end everybody else's.
  process.on('unhandledRejection', err => log.error({ err }, 'a rejection that nobody awaited'));
  // Whoever reads what it prints may go away before it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { drainSeconds } = config;
  onShutdown({
    drainSeconds,
    announce({ signal, err, second }) {
      if (err) log.fatal({ err }, 'the server ends');
      else if (second) log.warn(`${signal} again: the server ends at once`);
      else
        log.info(
          `${signal ?? 'Nothing left to do'}: the server ends, and what runs within ${drainSeconds} s`,
        );
    },
    drain: async () => service?.drain(),
    close: () => closing.disposeAsync(),
  });
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
  // Counters start at 0, so that monitoring sees the first increase.
  for (const { type: runtime } of runtimes.all)
    for (const reason of SHORTAGES) metrics.failedStarts.inc({ runtime, reason }, 0);
  const { retentionHours: hours, maxExecutions: executions, maxStoreBytes: bytes } = config;
  const store = await ExecutionStore.open(join(dataDir, 'executions.sqlite'), { hours, executions, bytes });
  closing.defer(() => store.close());
  const endedSessions = new EndedSessions(join(dataDir, 'ended-sessions.json'));
  service = createService({ config, runtimes, store, endedSessions, metrics, log });
  const { close: closeService } = service;
  const app = await buildApp({ config, service, metrics, log });
  // The service closes first, so that running work is answered while the doors are open.
  closing.defer(() => app.close());
  closing.defer(closeService);
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
  // A system error's message is enough, e.g. a directory that can't be written.
  const { message, stack } = error instanceof Error ? error : { message: String(error) };
  return `The server could not start: ${code ? message : (stack ?? message)}`;
}
