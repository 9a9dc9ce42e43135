import type { WebSocket } from 'ws';

const PING_MS = 30_000;
/** Missed pings after which a peer counts as dead: two minutes, which tolerates slow readers. */
const MAX_MISSED = 4;

/**
 * Terminates peers that have disappeared, and keeps idle connections through proxies open. The returned
 * function stops it.
 */
export function keepAlive(clients: ReadonlySet<WebSocket>): { watch(socket: WebSocket): void; stop(): void } {
  const missed = new WeakMap<WebSocket, number>();
  const timer = setInterval(() => {
    for (const socket of clients) {
      const count = missed.get(socket) ?? 0;
      // A paused socket's pongs are not read.
      if (socket.isPaused) continue;
      if (count >= MAX_MISSED) socket.terminate();
      else socket.ping();
      missed.set(socket, count + 1);
    }
  }, PING_MS).unref();
  return {
    watch(socket) {
      const alive = () => missed.set(socket, 0);
      socket.on('pong', alive).on('message', alive);
    },
    stop: () => clearInterval(timer),
  };
}
