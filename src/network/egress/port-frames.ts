import type { Readable, Writable } from 'node:stream';
import { encodeFrame, type Frame, FrameDecoder } from '../../wire/frames.ts';
import { release } from '../../wire/release.ts';
import { STREAM_DATA_BYTES } from '../../wire/streams.ts';
import { writeFrame } from '../../wire/write-frame.ts';
import { untilLeft, written } from '../../wire/written.ts';

/**
 * One HTTP exchange with a port of a sandbox, between the server and the egress process: the server sends the body of the request as frames
 * (src/wire/frames.ts), the process the answer, and closes behind it. What ends without `end` was cut: the server closes when it has what it wants.
 */
export const PortFrame = {
  /** The process's first: {@link PortHead} as JSON. */
  head: 1,
  data: 2,
  /** Empty: that was all of this direction. */
  end: 3,
  /** The process's only: {@link PortFailure}. */
  failed: 4,
} as const;

/** Headers are names and values in turns, as they were sent. */
export interface PortRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  /** It asks for another protocol (RFC 9110, 7.8): its bytes follow the head of the answer, both ways, if the program agrees. */
  readonly upgrade: boolean;
}

export interface PortHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
}

/** Why there is no answer: nobody listens, none came in time, or what came was none. */
export const PORT_FAILURES = ['refused', 'late', 'malformed'] as const;
export type PortFailure = (typeof PORT_FAILURES)[number];

export interface OwnFrame {
  readonly kind: number;
  readonly payload: Buffer;
}

/**
 * Frames as they come, those of data in pieces, each the reader's until it asks for the next: their memory is given back then. Ends where
 * the stream does. @throws {Error} they are none
 */
export async function* framesOf(stream: Readable): AsyncGenerator<OwnFrame, undefined> {
  const decoder = new FrameDecoder(kind => (kind === PortFrame.data ? 1 : 0));
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    const frames: OwnFrame[] = [];
    const keep = ({ kind, payload: { buffer, byteOffset, byteLength } }: Frame) =>
      frames.push({ kind, payload: Buffer.from(buffer, byteOffset, byteLength) });
    decoder.push(bytes, keep);
    yield* frames;
    release(bytes);
  }
}

/**
 * Sends all that a stream has, at the pace of who takes it, and that it was all; the memory of what was sent is given back. Rejects where
 * the stream was cut, or nobody takes it any more.
 */
export async function sendBody(from: AsyncIterable<Buffer>, to: Writable): Promise<void> {
  for await (const bytes of from) {
    for (let at = 0; at < bytes.length; at += STREAM_DATA_BYTES)
      if (!(await sent(to, bytes.subarray(at, at + STREAM_DATA_BYTES)))) throw new Error('nobody takes it');
    release(bytes);
  }
  to.write(encodeFrame(PortFrame.end, 0, new Uint8Array(0)));
}

function sent(to: Writable, piece: Uint8Array): Promise<boolean> {
  return untilLeft(to, left => writeFrame(to, [PortFrame.data, 0], piece, left));
}

/** The same frames, and a promise that resolves when the other end has gone before the first of them. */
export function watched(frames: AsyncIterator<OwnFrame, undefined>) {
  const first = frames.next();
  let taken = false;
  const next = () => {
    if (taken) return frames.next();
    taken = true;
    return first;
  };
  const gone = first.then(
    ({ done }) => (done ? undefined : new Promise<void>(() => {})),
    () => {},
  );
  return { frames: { next }, gone };
}

/** Writes what comes, up to its end, at the pace of who takes it. False: it was cut, or nobody takes it any more. */
export async function takeBody(frames: AsyncIterator<OwnFrame, undefined>, to: Writable): Promise<boolean> {
  for (let next = await frames.next(); !next.done; next = await frames.next()) {
    if (next.value.kind === PortFrame.end) return true;
    if (next.value.kind !== PortFrame.data) throw new Error(`a frame of kind ${next.value.kind} in a body`);
    if (to.destroyed || !(await written(to, next.value.payload))) return false;
  }
  return false;
}
