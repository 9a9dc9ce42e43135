import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';
import { type Metrics, SECONDS } from '../src/metrics.ts';
import type { Observe } from '../src/rpc/dispatcher.ts';
import type { Health, Service } from '../src/service/service.ts';

/** Metrics of both doors. Returns the JSON-RPC door's observer. */
export function measure(app: FastifyInstance, service: Service, metrics: Metrics): Observe {
  const registers = [metrics.registry];
  gauges(metrics.registry, service);
  const http = new Histogram({
    name: 'codebeaker_http_request_seconds',
    help: 'HTTP requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS,
    registers,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    http.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
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
  return (method, code, seconds) => {
    answers.inc({ method, code });
    rpc.observe({ method }, seconds);
  };
}

function gauges(registry: Registry, service: Service): void {
  const gauge = (name: string, help: string, read: (health: Health) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(read(await service.health()));
      },
    });
  gauge('codebeaker_sessions', 'Sessions open', health => health.sessions);
  gauge('codebeaker_running', 'One-shots and cells running', health => health.running);
  gauge('codebeaker_queued', 'One-shots and cells waiting', health => health.queued);
  new Gauge({
    name: 'codebeaker_runtime_available',
    help: '1 for a runtime that can make sandboxes here',
    labelNames: ['runtime'],
    registers: [registry],
    async collect() {
      const { runtimes } = await service.health();
      for (const [runtime, { available }] of Object.entries(runtimes)) {
        this.set({ runtime }, available ? 1 : 0);
      }
    },
  });
}
