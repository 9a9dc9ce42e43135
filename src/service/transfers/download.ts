import type { FileSource } from '../../sandbox.ts';
import { serviceError } from '../file-refusals.ts';
import type { Download, ReadHow } from '../service.ts';
import type { Coder } from './coder.ts';
import type { Coding } from './codings.ts';

/**
 * A session's file or directory on its way to a client. `enterCoding` takes a place among what is compressed, or throws; `openCoder` opens what
 * compresses it.
 */
export function openDownload(
  source: FileSource,
  parts: {
    transfer: number;
    path: string;
    leave: () => void;
    enterCoding: () => () => void;
    openCoder: (coding: Coding) => Coder;
  },
): Download {
  const { transfer, path, leave, enterCoding, openCoder } = parts;
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
      return coding ? encoded(pieces, () => openCoder(coding)) : pieces;
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

async function* encoded(
  pieces: AsyncIterable<Uint8Array>,
  open: () => Coder,
): AsyncGenerator<Uint8Array, void> {
  const coder = open();
  try {
    for await (const piece of pieces) yield* coder.write(piece);
    yield* coder.end();
  } finally {
    coder.close();
  }
}
