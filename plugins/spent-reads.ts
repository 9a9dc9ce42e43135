import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { guarded } from '../src/wire/guarded.ts';
import { release } from '../src/wire/release.ts';

/** What is read for one message of more than this is left to the collector, where nothing else is said, bytes. */
const MOST_BYTES = 2 * 1024 * 1024;

/**
 * Gives back the memory that a WebSocket was read in as soon as its messages have been copied out of it (src/wire/release.ts says why).
 * ws joins a message that came in several reads in memory of its own; one that lies within a read is a view of it, as a ping's bytes are,
 * which wait to be sent back: such a read is left to the collector. Needs ws to tell of messages as it reads them, its
 * `allowSynchronousEvents`. To be called before anything has been read; `stream` is the one below the WebSocket.
 */
export function releaseSpentReads(
  socket: WebSocket,
  stream: Socket,
  failed: (error: unknown) => void,
  mostBytes = MOST_BYTES,
): void {
  /** Behind ws's own listener: what is here when a message is told of came before what completed it. */
  let reads: Uint8Array[] = [];
  let bytes = 0;
  const shown = new WeakSet<ArrayBufferLike>();
  const show = (data: Uint8Array) => shown.add(data.buffer);
  const onMessage = (message: Buffer) => {
    show(message);
    for (const read of reads) if (!shown.has(read.buffer)) release(read);
    reads = [];
    bytes = 0;
  };
  const onData = (read: Uint8Array) => {
    reads.push(read);
    bytes += read.byteLength;
    if (bytes <= mostBytes) return;
    reads = [];
    bytes = 0;
  };
  socket.on('ping', show);
  socket.on('message', guarded(onMessage, failed));
  stream.on('data', guarded(onData, failed));
}
