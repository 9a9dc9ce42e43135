import type { Writable } from 'node:stream';
import type { FileSource } from '../../sandbox.ts';
import { serviceError } from '../file-refusals.ts';
import type { Download, ReadHow } from '../service.ts';
import { type Coding, encoder } from './codings.ts';

/** A session's file or directory on its way to a client. `enterCoding` takes a place among what is compressed, or throws. */
export function openDownload(
  source: FileSource,
  parts: { transfer: number; path: string; leave: () => void; enterCoding: () => () => void },
): Download {
  const { transfer, path, leave, enterCoding } = parts;
  let leaveCoding = () => {};
  let closed = false;
  return {
    transfer,
    path,
    status: source.status,
    mayEncode() {
      leaveCoding();
      leaveCoding = () => {};
      if (closed) return false;
      try {
        leaveCoding = enterCoding();
        return true;
      } catch {
        return false;
      }
    },
    read: (offset, length, { coding, tap } = {}) => {
      const pieces = refusing(source.read(offset, length), tap);
      return coding ? encoded(pieces, coding) : pieces;
    },
    close() {
      closed = true;
      source.close();
      leaveCoding();
      leaveCoding = () => {};
      leave();
    },
  };
}

/** The same bytes, with the service's errors. */
async function* refusing(
  pieces: AsyncIterable<Uint8Array>,
  tap: ReadHow['tap'],
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of pieces) {
      tap?.(piece);
      yield piece;
    }
  } catch (error) {
    throw serviceError(error);
  }
}

function encoded(pieces: AsyncIterable<Uint8Array>, coding: Coding): AsyncIterable<Uint8Array> {
  const stream = encoder(coding);
  void feed(stream, pieces);
  return stream;
}

/** Never rejects: what fails fails the stream. */
async function feed(stream: Writable, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of pieces) await taken(stream, piece);
    stream.end();
  } catch (error) {
    stream.destroy(error as Error);
  }
}

function taken(stream: Writable, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(piece, error => (error ? reject(error) : resolve())));
}
