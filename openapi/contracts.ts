import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { createMetrics } from '../src/metrics.ts';
import { describeRpc } from '../src/rpc/openrpc.ts';
import type { Service } from '../src/service/service.ts';

/** The two contracts, by file name, as the code has them: no service runs behind them. */
export async function contracts(): Promise<Record<string, string>> {
  const app = await buildApp({
    config: readConfig({}),
    service: nothing(),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
  });
  try {
    await app.ready();
    return { 'openapi.json': print(describeHttp(app)), 'openrpc.json': print(describeRpc()) };
  } finally {
    await app.close();
  }
}

function describeHttp(app: FastifyInstance): unknown {
  return (app as FastifyInstance & { swagger(): unknown }).swagger();
}

function print(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Routes ask a service for nothing when they are made. */
function nothing(): Service {
  return {} as Service;
}
