import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { boundMessages } from '../../plugins/bound-messages.ts';
import type { Inflow } from '../../plugins/inflow.ts';
import { SocketOutlet } from '../../plugins/socket-outlet.ts';
import { ServiceError } from '../../src/errors.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import type { DebugConnection, DebugEnd } from '../../src/service/service.ts';
import { BadFrame } from '../../src/wire/content-length.ts';
import { guarded } from '../../src/wire/guarded.ts';
import { Framing, WrongFraming } from './framing.ts';

/** Bytes of messages that the adapter has not taken: beyond them the client is not read. */
const MAX_PENDING_BYTES = 1024 * 1024;
/** Bytes of a close frame's reason (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123;
const CODES: Readonly<Record<DebugEnd['how'], number>> = {
  disconnected: 1000,
  session_ended: 1001,
  adapter_died: 1011,
};

/** Joins a WebSocket to an adapter until either ends. */
export function serveDap(
  socket: WebSocket,
  { log, raw }: FastifyRequest,
  { connection, inflow }: { connection: DebugConnection; inflow: Inflow },
): void {
  const outlet = new SocketOutlet(socket);
  const framing = new Framing();
  const end = (code: number, reason: string) => {
    connection.close();
    socket.close(code, cut(reason));
  };
  // A client's own mistakes end its connection, with the reason; any other is ours, and ends no more than that either.
  const failed = (error: unknown) => {
    const code = codeOf(error);
    if (code !== undefined) return end(code, (error as Error).message);
    log.error({ err: error }, 'a debugger’s connection failed');
    end(1011, 'Internal error');
  };
  const unfinished = boundMessages(socket, raw.socket, inflow, failed);
  const regulate = () => {
    const full = unfinished.unanswered > MAX_PENDING_BYTES;
    if (full && !socket.isPaused) socket.pause();
    else if (!full && socket.isPaused) socket.resume();
  };
  const silent = setTimeout(() => end(1008, 'Nothing was said'), LIMITS.debugTicketSeconds * 1000).unref();
  const carry = async () => {
    const { how, words } = await connection.carry(text => outlet.send(framing.write(text), () => {}));
    socket.close(CODES[how], cut(words));
  };
  const onMessage = (data: Buffer, isBinary: boolean) => {
    const taken = unfinished.whole(data.length);
    const first = framing.begin(isBinary);
    clearTimeout(silent);
    // Only now is it known how to speak to it.
    if (first) carry().catch(failed);
    const sent = framing.read(data, isBinary).map(text => connection.send(text));
    Promise.all(sent)
      .catch(failed)
      .finally(() => {
        taken();
        regulate();
      });
    regulate();
  };
  socket.on('message', guarded(onMessage, failed));
  const onClose = () => {
    clearTimeout(silent);
    connection.close();
  };
  socket.on('close', guarded(onClose, failed));
}

/** Why a client's connection ends (RFC 6455, 7.4.1); undefined for what is no mistake of its own. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof WrongFraming) return error.code;
  return error instanceof BadFrame || error instanceof ServiceError ? 1007 : undefined;
}

/** The first bytes, up to a whole character. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason, 'utf8');
  if (bytes.byteLength <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
