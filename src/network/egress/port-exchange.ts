import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodeFrame } from '../../wire/frames.ts';
import { guarded } from '../../wire/guarded.ts';
import type { RelayStream } from '../../wire/relay-streams.ts';
import {
  framesOf,
  type PortFailure,
  PortFrame,
  type PortHead,
  type PortRequest,
  sendBody,
  takeBody,
  watched,
} from './port-frames.ts';

/**
 * Until somebody has accepted the connection, and until the head of the answer is there, once all of the request is or while none of it is
 * taken; milliseconds.
 */
const CONNECT_MS = 10_000;
const HEAD_MS = 60_000;
/** Of the answer's head, bytes. */
const MAX_HEAD_BYTES = 16 * 1024;

/**
 * Asks what listens on a port of a sandbox, and passes on what it answers. What a program writes is read here and nowhere else; the server
 * gets heads that are whole and bodies in frames. Closes both ends. Never rejects.
 */
export async function exchange(socket: Socket, stream: RelayStream, request: PortRequest): Promise<void> {
  socket.once('close', () => stream.destroy());
  const fail = (why: PortFailure) => void socket.end(encodeFrame(PortFrame.failed, 0, Buffer.from(why)));
  const connected = await connects(stream);
  if (connected !== true) fail(connected);
  else {
    const failure = await answered(socket, stream, request).catch((): PortFailure => 'malformed');
    if (failure !== null) fail(failure);
  }
  stream.destroy();
  socket.end();
}

/** What nobody takes is read and dropped, or the server could not read the rest of an answer. When it has gone, nobody wants that any more. */
async function untilGone(frames: AsyncIterator<unknown>): Promise<void> {
  const next = () => frames.next().catch(() => null);
  for (let each = await next(); each && !each.done; ) each = await next();
}

function connects(stream: RelayStream): Promise<true | PortFailure> {
  return new Promise(resolve => {
    const late = setTimeout(() => resolve('late'), CONNECT_MS);
    stream.once('connect', () => resolve(true));
    stream.once('close', () => resolve('refused'));
    stream.once('connect', () => clearTimeout(late)).once('close', () => clearTimeout(late));
  });
}

/** Resolves when the answer has been passed on, or is cut; to the reason where there is none. */
function answered(socket: Socket, stream: RelayStream, request: PortRequest): Promise<PortFailure | null> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, upgrade } = request;
    const outgoing = process.getBuiltinModule('node:http').request({
      createConnection: () => stream as unknown as Socket,
      method,
      path,
      headers,
      setHost: false,
      maxHeaderSize: MAX_HEAD_BYTES,
    });
    const { frames, gone } = watched(framesOf(socket));
    let late: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(late);
      if (begun || stream.destroyed) return;
      late = setTimeout(() => {
        resolve('late');
        stream.destroy();
      }, HEAD_MS);
    };
    const asked = () => {
      outgoing.end();
      wait();
    };
    /** A program that reads nothing of a request does not hold it for ever; a client may take as long as it likes to say it. */
    const body = {
      async next() {
        clearTimeout(late);
        const next = await frames.next();
        wait();
        return next;
      },
    };
    let begun = false;
    const begin = (head: PortHead) => {
      begun = true;
      clearTimeout(late);
      socket.write(encodeFrame(PortFrame.head, 0, Buffer.from(JSON.stringify(head))));
    };
    /** What is cut from here on ends without a word. */
    const cut = () => {
      socket.destroy();
      resolve(null);
    };
    // An answer that has begun tells by itself whether it came to its end.
    outgoing.on('error', error => {
      if (!begun) reject(error);
    });
    outgoing.once('close', () => {
      clearTimeout(late);
      if (!begun) resolve('malformed');
    });
    const onResponse = (response: IncomingMessage) => {
      const { statusCode: status = 0, statusMessage: reason = '', rawHeaders } = response;
      begin({ status, reason, headers: rawHeaders });
      sendBody(response, socket).then(() => resolve(null), cut);
    };
    outgoing.once('response', guarded(onResponse, cut));
    if (upgrade) {
      const onUpgrade = (
        { rawHeaders, statusMessage = '' }: IncomingMessage,
        other: Duplex,
        first: Buffer,
      ) => {
        begin({ status: 101, reason: statusMessage, headers: rawHeaders });
        if (first.length > 0) other.unshift(first);
        const forth = takeBody(frames, other).then(whole => {
          if (whole) other.end();
          else if (!other.destroyed) return cut();
          void untilGone(frames).then(cut);
        });
        Promise.all([sendBody(other, socket), forth]).then(() => resolve(null), cut);
      };
      outgoing.once('upgrade', guarded(onUpgrade, cut));
    }
    void gone.then(cut);
    if (upgrade) return asked();
    const sent = takeBody(body, outgoing).then(whole => {
      if (whole) asked();
      // A program may have answered and hung up before it has heard all.
      else if (!outgoing.destroyed) return cut();
      void untilGone(frames).then(cut);
    });
    sent.catch(reject);
  });
}
