import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { boundMessages } from '../../plugins/bound-messages.ts';
import type { Inflow } from '../../plugins/inflow.ts';
import { SocketOutlet } from '../../plugins/socket-outlet.ts';
import { releaseSpentReads } from '../../plugins/spent-reads.ts';
import type { Transfers } from '../../src/service/service.ts';
import { guarded } from '../../src/wire/guarded.ts';
import { LARGE_BYTES, turn } from '../../src/wire/turns.ts';
import { writeBehind } from '../../src/wire/write-frame.ts';
import { DataConnection } from './connection.ts';
import { messageHeader } from './frames.ts';
import type { Held } from './held.ts';
import type { SendData } from './transfer.ts';

/** Bytes of frames that a connection's transfers have not taken yet, and of words that it has not read: beyond them it is not read. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
const MAX_SAID_BYTES = 256 * 1024;

interface Parts {
  readonly transfers: Transfers;
  readonly inflow: Inflow;
  readonly held: Held;
  readonly admit: () => void;
}

/** Joins a WebSocket to the data door until it closes. */
export function serveData(
  socket: WebSocket,
  { id, owner, ip, log, raw }: FastifyRequest,
  { transfers, inflow, held, admit }: Parts,
): void {
  const gone = new AbortController();
  const outlet = new SocketOutlet(socket);
  let said = 0;
  let counted = 0;
  /** For its turn to be read on. */
  let waits = false;
  const regulate = () => {
    held.add(connection.held - counted);
    counted = connection.held;
    const full = counted > MAX_HELD_BYTES || said > MAX_SAID_BYTES || (held.isFull && counted > 0);
    const stays = full || waits;
    if (stays && !socket.isPaused) socket.pause();
    else if (!stays && socket.isPaused) socket.resume();
  };
  const say = (message: object) => {
    const text = JSON.stringify(message);
    said += text.length;
    void outlet.send(text, () => {
      said -= text.length;
      regulate();
    });
  };
  // Past the WebSocket, which writes each message at once and would copy these.
  const sendData: SendData = ({ transfer, offset, payload }) =>
    new Promise(resolve => {
      if (socket.readyState !== socket.OPEN) return resolve();
      writeBehind(raw.socket, messageHeader(transfer, offset, payload.byteLength), payload, () => resolve());
    });
  const connection = new DataConnection({
    transfers,
    call: { id, owner, client: owner ?? ip, lane: null, signal: gone.signal, log },
    say,
    sendData,
    admit,
    onTaken: regulate,
  });
  // Expected errors have been answered; any other ends this connection and not the server.
  const failed = (error: unknown) => {
    log.error({ err: error }, 'a data connection failed');
    socket.close(1011, 'Internal error');
  };
  const unfinished = boundMessages(socket, raw.socket, inflow, failed);
  releaseSpentReads(socket, raw.socket, failed);
  const onRead = ({ byteLength }: Uint8Array) => {
    const wait = waits || byteLength <= LARGE_BYTES ? undefined : turn();
    if (!wait) return;
    waits = true;
    regulate();
    void wait.then(() => {
      waits = false;
      regulate();
    });
  };
  raw.socket.on('data', guarded(onRead, failed));
  const onMessage = (message: Buffer, isBinary: boolean) => {
    unfinished.whole(message.length)();
    if (isBinary) connection.onBytes(message);
    else connection.onText(message.toString('utf8'));
    regulate();
  };
  socket.on('message', guarded(onMessage, failed));
  const onClose = () => {
    gone.abort();
    connection.close();
    held.add(-counted);
    counted = 0;
  };
  socket.on('close', guarded(onClose, failed));
}
