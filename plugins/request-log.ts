import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Logs one line per HTTP request, with its id: at `info`, and at `debug` what monitoring and the documentation
 * ask. Of what a client sent it holds the method and the route's pattern: no path, query, header or body.
 */
export function logRequests(app: FastifyInstance): void {
  const log = (request: FastifyRequest, details: object, message: string) => {
    const { url: route = 'none', config } = request.routeOptions;
    const level = config.open || config.operators ? 'debug' : 'info';
    request.log[level]({ method: request.method, route, address: request.ip, ...details }, message);
  };
  app.addHook('onResponse', (request, reply, done) => {
    log(request, { status: reply.statusCode, tookMs: Math.round(reply.elapsedTime) }, 'request');
    done();
  });
  app.addHook('onRequestAbort', async request => log(request, {}, 'request given up by its client'));
}
