import pino from 'pino';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createMetrics } from '../../src/metrics.ts';
import { ServiceDouble } from '../rpc/service-double.ts';

/** Both doors before a service without sandboxes. */
export async function openDoors(environment: Record<string, string> = {}) {
  const service = new ServiceDouble();
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  const app = await buildApp({ config: readConfig(environment), service, metrics: createMetrics(), log });
  await app.ready();
  const ask = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const answer = await app.inject({
      method,
      url,
      headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(payload !== undefined && { payload }),
    });
    const json = String(answer.headers['content-type']).includes('json') && answer.body !== '';
    return { status: answer.statusCode, headers: answer.headers, body: json ? answer.json() : answer.body };
  };
  return { app, service, logged, ask };
}
