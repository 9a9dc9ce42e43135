import type { WebSocket } from 'ws';

const PING_MS = 30_000;
/** Pings without any sign of life after which a peer counts as dead: two minutes, to be kind to slow readers. */
const MAX_MISSED = 4;

/** Finds peers that are gone without a word, and keeps idle ways through proxies open. Returns what stops it. */
export function keepAlive(clients: ReadonlySet<WebSocket>): { watch(socket: WebSocket): void; stop(): void } {
  const missed = new WeakMap<WebSocket, number>();
  const timer = setInterval(() => {
    for (const socket of clients) {
      const count = missed.get(socket) ?? 0;
      // While we don't read it, its pongs can't reach us.
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
