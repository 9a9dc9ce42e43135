import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Type } from '@sinclair/typebox';
import type { WebSocket } from 'ws';
import { invalid, moreOf, ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import { closed } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import type { Call, CallLog } from '../../src/service/call.ts';
import type { Status, StatusMessage } from '../../src/service/service.ts';
import { guarded } from '../../src/wire/guarded.ts';

/** Most bytes of a client's message; one that sends more is cut off. */
const MOST_BYTES = 64 * 1024;
/** Time for the first message, milliseconds. */
const FIRST_MS = 30_000;

const readWish = validator(
  closed({
    subscribe: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 100 }),
    sessionId: Type.Optional(Type.String()),
  }),
);

/** Tells a client what happens, once its first message has said of what. Each further message takes the place of the one before. */
export function serveStatus(
  socket: WebSocket,
  status: Status,
  { owner, log, id, stream }: { owner: string | null; log: CallLog; id: string; stream: Socket },
): void {
  const client = owner ?? randomUUID();
  let following: AbortController | undefined;
  /** Resolves when nothing is told any more, and the client has taken what was. */
  let told: Promise<void> = Promise.resolve();
  const refuse = (error: unknown) => {
    const known = error instanceof ServiceError ? error : null;
    if (!known) log.error({ err: error }, 'a status connection failed');
    const { code = 'INTERNAL_ERROR', message = 'Internal error' } = known ?? {};
    socket.send(JSON.stringify({ error: { code, message, ...(known && moreOf(known)) } }));
    socket.close(1008, code);
    following?.abort();
  };
  const late = setTimeout(() => refuse(invalid('subscribe', 'no first message came')), FIRST_MS).unref();
  const onMessage = async (data: Buffer, isBinary: boolean) => {
    clearTimeout(late);
    try {
      const wish = readMessage(data, isBinary);
      const now = new AbortController();
      const call: Call = { id, owner, client, lane: null, signal: now.signal, log };
      following?.abort();
      following = now;
      const messages = await status.follow(wish, call);
      // A client that asks for more and more, and reads nothing of it, is not read either.
      socket.pause();
      await told;
      if (following !== now) return;
      socket.resume();
      const telling = tell(socket, messages);
      told = telling.catch(() => {});
      await telling;
    } catch (error) {
      refuse(error);
    }
  };
  socket.on('message', guarded(onMessage, refuse));
  endTooLong(socket, stream);
  const onClose = () => {
    clearTimeout(late);
    following?.abort();
  };
  socket.on('close', guarded(onClose, refuse));
}

function readMessage(data: Buffer, isBinary: boolean) {
  if (isBinary) throw new ServiceError('VALIDATION_ERROR', 'The first message comes as text');
  let value: unknown;
  try {
    value = parseJson(data.toString('utf8'));
  } catch (error) {
    throw new ServiceError('VALIDATION_ERROR', `The first message is not JSON: ${(error as Error).message}`);
  }
  return readWish(value, '');
}

/** One event at a time: what a slow client has not taken waits where it is bounded. */
async function tell(socket: WebSocket, messages: AsyncIterable<StatusMessage>): Promise<void> {
  for await (const { event } of messages) {
    const text = JSON.stringify({ jsonrpc: '2.0', method: event.method, params: event.params });
    await new Promise<void>(resolve => socket.send(text, () => resolve()));
  }
}

/** Cuts a client off whose message is too long, before all of it has come. */
function endTooLong(socket: WebSocket, stream: Socket): void {
  let unfinished = 0;
  const whole = () => {
    unfinished = 0;
  };
  for (const event of ['message', 'ping', 'pong']) socket.on(event, whole);
  const onData = (bytes: Buffer) => {
    unfinished += bytes.length;
    if (unfinished > MOST_BYTES) socket.close(1009, 'A message is too long');
    if (unfinished > 2 * MOST_BYTES) socket.terminate();
  };
  stream.on(
    'data',
    guarded(onData, () => socket.terminate()),
  );
}
