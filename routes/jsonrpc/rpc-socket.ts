import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { boundMessages } from '../../plugins/bound-messages.ts';
import type { Inflow } from '../../plugins/inflow.ts';
import { SocketOutlet } from '../../plugins/socket-outlet.ts';
import { releaseSpentReads } from '../../plugins/spent-reads.ts';
import type { ConnectionOptions, Outlet } from '../../src/rpc/connection.ts';
import type { Rpc } from '../../src/rpc/index.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { guarded } from '../../src/wire/guarded.ts';

/** Joins a WebSocket to the JSON-RPC door until it closes. */
export function serveRpc(
  socket: WebSocket,
  rpc: Rpc,
  options: Pick<ConnectionOptions, 'owner' | 'admit' | 'log'> & {
    inflow: Inflow;
    /** The stream below the WebSocket. */
    stream: Socket;
  },
): void {
  const sending = new SocketOutlet(socket, options.stream);
  const outlet: Outlet = {
    send: (text, gone, bytes) => sending.send(text, gone, bytes, false),
    room: () => sending.room(),
  };
  const connection = rpc.connect({ ...options, client: options.owner ?? randomUUID(), outlet });
  // Expected errors have been answered; any other ends this connection and not the server.
  const failed = (error: unknown) => {
    options.log.error({ err: error }, 'a JSON-RPC connection failed');
    socket.close(1011, 'Internal error');
  };
  releaseSpentReads(socket, options.stream, failed, LIMITS.messageBytes);
  const inflow = boundMessages(socket, options.stream, options.inflow, failed);
  const regulate = () => {
    const full = connection.pending > LIMITS.pendingRequests || inflow.unanswered > LIMITS.pendingBytes;
    if (full && !socket.isPaused) socket.pause();
    else if (!full && socket.isPaused) socket.resume();
  };
  const onMessage = (data: Buffer, isBinary: boolean) => {
    if (isBinary) return socket.close(1003, 'JSON-RPC comes as text');
    const answered = inflow.whole(data.length);
    connection
      // Of a large message ws has joined the reads in memory of its own, which nobody else has seen.
      .receive(data)
      .catch(failed)
      .finally(() => {
        answered();
        regulate();
      });
    regulate();
  };
  socket.on('message', guarded(onMessage, failed));
  const onClose = () => connection.close();
  socket.on('close', guarded(onClose, failed));
}
