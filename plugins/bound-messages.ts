import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { guarded } from '../src/wire/guarded.ts';
import type { Inflow, SocketInflow } from './inflow.ts';

/** Time that a refused client has to end its side, milliseconds. */
const CLOSE_MS = 1000;

/**
 * Counts what a socket brings until its messages are whole, and refuses it when those of all sockets are too much: it is told so, our side
 * ends, and what still comes is not kept. `stream` is the one below the WebSocket.
 */
export function boundMessages(
  socket: WebSocket,
  stream: Socket,
  inflow: Inflow,
  failed: (error: unknown) => void,
): SocketInflow {
  const own = inflow.open(why => {
    socket.close(1013, why);
    stream.end();
    // By the WebSocket, which reads on otherwise once it has taken what it was reading; whoever else resumes it drops what comes.
    socket.pause();
    stream.removeAllListeners('data');
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  });
  const onData = (bytes: Buffer) => own.arrived(bytes.length);
  stream.on('data', guarded(onData, failed));
  socket.on(
    'close',
    guarded(() => own.close(), failed),
  );
  return own;
}
