import { encodeJson, encodeNumber, HEADER_BYTES, writeHeader } from '../wire/frames.ts';
import { c, E, errno } from './libc.ts';

/** Producers hold back above this many bytes waiting for the stream, whose own buffer is about as large. */
const HIGH_WATER_BYTES = 128 * 1024;
const FIRST_BYTES = 128 * 1024;
/** A buffer that had to grow beyond this is given back once it is empty. */
const KEPT_BYTES = 512 * 1024;

/**
 * What waits to be written to the service, in order: frames in one buffer, so that a turn of the loop costs one system
 * call and no garbage.
 */
export class Outbox {
  readonly fd: number;
  #buffer = new Uint8Array(FIRST_BYTES);
  #from = 0;
  #to = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  get full(): boolean {
    return this.#to - this.#from > HIGH_WATER_BYTES;
  }

  get waiting(): boolean {
    return this.#to > this.#from;
  }

  sendJson(kind: number, channel: number, message: unknown): void {
    this.#push(encodeJson(kind, channel, message));
  }

  sendNumber(kind: number, channel: number, value: number): void {
    this.#push(encodeNumber(kind, channel, value));
  }

  send(kind: number, channel: number, payload: Uint8Array): void {
    this.fill(kind, channel, payload.byteLength, place => {
      place.set(payload);
      return payload.byteLength;
    });
  }

  /**
   * Sends what `read` puts into the place it is given, at most `most` bytes, and returns what it returns: how many
   * there were. A number below one sends nothing.
   */
  fill(kind: number, channel: number, most: number, read: (place: Uint8Array) => number): number {
    this.#reserve(HEADER_BYTES + most);
    const start = this.#to + HEADER_BYTES;
    const got = read(this.#buffer.subarray(start, start + most));
    if (got < 0 || (got === 0 && most > 0)) return got;
    writeHeader(this.#buffer, this.#to, kind, channel, got);
    this.#to = start + got;
    return got;
  }

  /** Writes what the stream takes. @throws {Error} the service is gone */
  flush(): void {
    while (this.waiting) {
      const rest = this.#buffer.subarray(this.#from, this.#to);
      const wrote = Number(c.write(this.fd, rest, rest.byteLength));
      if (wrote < 0) {
        if (errno() === E.EINTR) continue;
        if (errno() === E.EAGAIN) return;
        throw new Error('the service is gone');
      }
      this.#from += wrote;
    }
    this.#from = this.#to = 0;
    if (this.#buffer.byteLength > KEPT_BYTES) this.#buffer = new Uint8Array(FIRST_BYTES);
  }

  #push(frame: Uint8Array): void {
    this.#reserve(frame.byteLength);
    this.#buffer.set(frame, this.#to);
    this.#to += frame.byteLength;
  }

  /** Makes room for so many bytes more. */
  #reserve(bytes: number): void {
    if (this.#to + bytes <= this.#buffer.byteLength) return;
    const waiting = this.#to - this.#from;
    const enough = Math.max(waiting + bytes, 2 * waiting);
    const target = enough <= this.#buffer.byteLength ? this.#buffer : new Uint8Array(enough);
    target.set(this.#buffer.subarray(this.#from, this.#to));
    this.#buffer = target;
    this.#from = 0;
    this.#to = waiting;
  }
}
