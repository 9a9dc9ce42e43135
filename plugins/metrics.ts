import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';
import type { Observe } from '../src/rpc/dispatcher.ts';
import { failedStarts } from '../src/runtimes/no-sandbox.ts';
import type { Service } from '../src/services/service.ts';

const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 300];

/** Counts what the doors answer and shows it at /metrics. Returns the JSON-RPC door's counter. */
export function measure(app: FastifyInstance, service: Service): { registry: Registry; observe: Observe } {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  gauges(registry, service);
  const http = new Histogram({
    name: 'codebeaker_http_request_seconds',
    help: 'HTTP requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS,
    registers,
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    http.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  const answers = new Counter({
    name: 'codebeaker_rpc_answers_total',
    help: 'JSON-RPC requests by method and error code, ok without',
    labelNames: ['method', 'code'],
    registers,
  });
  const rpc = new Histogram({
    name: 'codebeaker_rpc_request_seconds',
    help: 'JSON-RPC requests by method',
    labelNames: ['method'],
    buckets: SECONDS,
    registers,
  });
  return {
    registry,
    observe(method, code, seconds) {
      answers.inc({ method, code });
      rpc.observe({ method }, seconds);
    },
  };
}

function gauges(registry: Registry, service: Service): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('codebeaker_sessions', 'Sessions open', () => service.health().sessions);
  gauge('codebeaker_running', 'One-shots and cells running', () => service.health().running);
  gauge('codebeaker_queued', 'One-shots and cells waiting', () => service.health().queued);
  new Gauge({
    name: 'codebeaker_runtime_available',
    help: '1 for a runtime that can make sandboxes here',
    labelNames: ['runtime'],
    registers: [registry],
    collect() {
      for (const [runtime, { available }] of Object.entries(service.health().runtimes)) {
        this.set({ runtime }, available ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'codebeaker_sandbox_starts_failed',
    help: 'Sandboxes that could not be started, since the start; filters: for want of room for a compiled filter',
    labelNames: ['runtime', 'reason'],
    registers: [registry],
    collect() {
      for (const runtime of Object.keys(service.health().runtimes))
        for (const reason of ['filters', 'other'] as const) this.set({ runtime, reason }, 0);
      for (const { runtime, reason, count } of failedStarts()) this.set({ runtime, reason }, count);
    },
  });
}
