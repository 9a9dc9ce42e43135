import type { FastifyInstance } from 'fastify';
import type { Inflow } from '../../plugins/inflow.ts';
import { logSocket } from '../../plugins/log-socket.ts';
import type { Admit } from '../../plugins/rate-limit.ts';
import { onlyWebSocket } from '../../plugins/websocket-only.ts';
import { KernelSocket } from './kernel-socket.ts';
import { type Kernels, noSuchKernel } from './kernels.ts';

type OfKernel = { Params: { id: string } };

/**
 * `GET /api/kernels/{id}/channels`, a WebSocket: all channels of a kernel. Some clients send no key with it, and others one in the URL:
 * the kernel's id, which nobody can guess, is what lets them in.
 */
export function channelsRoute(
  app: FastifyInstance,
  kernels: Kernels,
  { inflow, admit }: { inflow: Inflow; admit: Admit | undefined },
): void {
  app.route<OfKernel>({
    ...onlyWebSocket,
    url: '/api/kernels/:id/channels',
    config: { open: true },
    // Refused before it is a WebSocket.
    onRequest: async request => {
      const kernel = kernels.lookUp(request.params.id);
      if (!kernel) throw noSuchKernel(request.params.id);
      request.owner = kernel.owner;
      admit?.(request);
    },
    wsHandler: (socket, request) => {
      logSocket(socket, request);
      const { log, raw } = request;
      const kernel = kernels.lookUp(request.params.id);
      if (!kernel) return socket.close(1001, 'The kernel has ended');
      new KernelSocket(socket, kernel, {
        stream: raw.socket,
        inflow,
        admit: () => admit?.(request),
        log,
      });
    },
  });
}
