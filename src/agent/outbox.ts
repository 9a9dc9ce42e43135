import { encodeFrame, encodeJson, encodeNumber } from '../wire/frames.ts';
import { c, E, errno } from './libc.ts';

/** Producers hold back above this many bytes waiting for the stream. */
const HIGH_WATER_BYTES = 512 * 1024;

/** What waits to be written to the service, in order. */
export class Outbox {
  readonly fd: number;
  #frames: Uint8Array[] = [];
  #sent = 0;
  #bytes = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  get full(): boolean {
    return this.#bytes > HIGH_WATER_BYTES;
  }

  get waiting(): boolean {
    return this.#frames.length > 0;
  }

  send(kind: number, channel: number, payload: Uint8Array): void {
    this.#push(encodeFrame(kind, channel, payload));
  }

  sendJson(kind: number, channel: number, message: unknown): void {
    this.#push(encodeJson(kind, channel, message));
  }

  sendNumber(kind: number, channel: number, value: number): void {
    this.#push(encodeNumber(kind, channel, value));
  }

  /** Writes what the stream takes. @throws {Error} the service is gone */
  flush(): void {
    let done = 0;
    while (done < this.#frames.length) {
      const frame = this.#frames[done]!;
      const rest = this.#sent ? frame.subarray(this.#sent) : frame;
      const wrote = Number(c.write(this.fd, rest, rest.byteLength));
      if (wrote < 0) {
        if (errno() === E.EINTR) continue;
        if (errno() === E.EAGAIN) break;
        throw new Error('the service is gone');
      }
      this.#bytes -= wrote;
      this.#sent += wrote;
      if (this.#sent < frame.byteLength) break;
      this.#sent = 0;
      done++;
    }
    if (done > 0) this.#frames.splice(0, done);
  }

  #push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
  }
}
