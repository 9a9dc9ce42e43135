import { Duplex, type Readable, type Writable } from 'node:stream';
import { decodeNumber, encodeFrame, encodeNumber, type Frame, FrameDecoder } from '../../wire/frames.ts';
import { guarded } from '../../wire/guarded.ts';
import {
  MAX_STREAMS,
  STREAM_DATA_BYTES,
  STREAM_FRAME_COST,
  STREAM_WINDOW_BYTES,
  StreamFrame,
} from '../../wire/streams.ts';

/** Read bytes are granted back in steps of this many. */
const CREDIT_STEP_BYTES = 32 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * The service's end of `agent relay` (src/wire/streams.ts): calls `onStream` for each connection made inside. Calls `onBroken` once,
 * when the relay broke the rules or has gone; its streams are destroyed then.
 */
export class RelayStreams {
  readonly #output: Writable;
  readonly #onStream: (stream: Duplex) => void;
  readonly #onBroken: (reason: Error) => void;
  readonly #streams = new Map<number, RelayStream>();
  #last = 0;
  #broken = false;

  constructor(parts: {
    input: Readable;
    output: Writable;
    onStream: (stream: Duplex) => void;
    onBroken: (reason: Error) => void;
  }) {
    this.#output = parts.output;
    this.#onStream = parts.onStream;
    this.#onBroken = parts.onBroken;
    const decoder = new FrameDecoder();
    const onBytes = (bytes: Buffer) => {
      if (!this.#broken) decoder.push(bytes, frame => this.#onFrame(frame));
    };
    parts.input.on(
      'data',
      guarded(onBytes, error => this.#break(error)),
    );
    for (const stream of [parts.input, parts.output])
      for (const event of ['end', 'close', 'error'])
        stream.on(event, () => this.#break(new Error('the relay has gone')));
  }

  /** Sends a frame; resolves when there is room for another. */
  send(kind: number, number: number, payload: Uint8Array = EMPTY): Promise<void> | undefined {
    if (this.#broken || this.#output.write(encodeFrame(kind, number, payload))) return undefined;
    return new Promise(resolve => this.#output.once('drain', resolve));
  }

  sendNumber(kind: number, number: number, value: number): void {
    if (!this.#broken) this.#output.write(encodeNumber(kind, number, value));
  }

  forget(number: number): void {
    this.#streams.delete(number);
  }

  #onFrame({ kind, channel, payload }: Frame): void {
    if (kind === StreamFrame.open) return this.#open(channel, payload);
    // Of one that was reset here while this was on its way.
    const stream = this.#streams.get(channel);
    if (!stream && channel <= this.#last) return;
    if (!stream) throw new Error('a frame of a stream that was never opened');
    stream.onFrame(kind, payload);
  }

  #open(number: number, payload: Uint8Array): void {
    decodeNumber(payload);
    if (number <= this.#last) throw new Error('a stream with a number that was used before');
    if (this.#streams.size >= MAX_STREAMS) throw new Error(`more than ${MAX_STREAMS} streams`);
    this.#last = number;
    const stream = new RelayStream(this, number);
    this.#streams.set(number, stream);
    this.#onStream(stream);
  }

  #break(reason: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    for (const stream of this.#streams.values()) stream.destroy();
    this.#onBroken(reason);
  }
}

/** One connection. */
class RelayStream extends Duplex {
  readonly #relay: RelayStreams;
  readonly #number: number;
  /** What may still be sent; what has come and was not granted again. */
  #window = STREAM_WINDOW_BYTES;
  #ungranted = 0;
  #granted: (() => void) | undefined;
  #ended = false;
  #reset = false;

  constructor(relay: RelayStreams, number: number) {
    super({ allowHalfOpen: true });
    this.#relay = relay;
    this.#number = number;
    this.on('error', () => {});
  }

  onFrame(kind: number, payload: Uint8Array): void {
    switch (kind) {
      case StreamFrame.data:
        return this.#data(payload);
      case StreamFrame.end:
        if (this.#ended) throw new Error('a second end of a stream');
        this.#ended = true;
        return void this.push(null);
      case StreamFrame.reset:
        this.#reset = true;
        return void this.destroy();
      case StreamFrame.credit:
        this.#window += decodeNumber(payload);
        if (this.#window > STREAM_WINDOW_BYTES) throw new Error('more granted of a stream than was used');
        return this.#granted?.();
      default:
        throw new Error(`a frame of kind ${kind} on a stream`);
    }
  }

  #data(payload: Uint8Array): void {
    if (this.#ended) throw new Error('data after the end of a stream');
    this.#ungranted += payload.byteLength + STREAM_FRAME_COST;
    if (this.#ungranted > STREAM_WINDOW_BYTES) throw new Error('more of a stream than was granted');
    this.push(Buffer.from(payload));
  }

  override _read(): void {
    if (this.#ungranted < CREDIT_STEP_BYTES) return;
    this.#relay.sendNumber(StreamFrame.credit, this.#number, this.#ungranted);
    this.#ungranted = 0;
  }

  override async _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): Promise<void> {
    for (let at = 0; at < chunk.byteLength && !this.destroyed; ) {
      const room = Math.min(this.#window - STREAM_FRAME_COST, STREAM_DATA_BYTES);
      if (room <= 0) {
        await new Promise<void>(resolve => (this.#granted = resolve));
        continue;
      }
      const piece = chunk.subarray(at, at + room);
      this.#window -= piece.byteLength + STREAM_FRAME_COST;
      at += piece.byteLength;
      await this.#relay.send(StreamFrame.data, this.#number, piece);
    }
    done();
  }

  override _final(done: (error?: Error) => void): void {
    this.#relay.send(StreamFrame.end, this.#number);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const over = this.#ended && this.writableFinished;
    if (!over && !this.#reset) this.#relay.send(StreamFrame.reset, this.#number);
    this.#relay.forget(this.#number);
    this.#granted?.();
    done(error);
  }
}
