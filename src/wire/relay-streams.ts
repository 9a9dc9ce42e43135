import { Duplex, type Readable, type Writable } from 'node:stream';
import { FieldReader, FieldWriter } from './fields.ts';
import { decodeNumber, encodeFrame, encodeNumber, type Frame, FrameDecoder } from './frames.ts';
import { guarded } from './guarded.ts';
import { release } from './release.ts';
import {
  DATAGRAM_BYTES,
  FIRST_OF_SERVICE,
  MAX_STREAMS,
  STREAM_DATA_BYTES,
  STREAM_FRAME_COST,
  STREAM_WINDOW_BYTES,
  StreamFrame,
} from './streams.ts';
import { writeFrame } from './write-frame.ts';

/** Read bytes are granted back in steps of this many. */
const CREDIT_STEP_BYTES = 32 * 1024;
/** Of a frame of data, so that a relay can't make many of few bytes. */
const LEAST_PIECE_BYTES = 4096;
const EMPTY = new Uint8Array(0);

/** What was connected to inside; the address as a number. */
export interface ConnectedTo {
  readonly port: number;
  readonly address: number;
}

export interface RelayParts {
  readonly input: Readable;
  readonly output: Writable;
  readonly onStream: (stream: RelayStream, to: ConnectedTo) => void;
  /**
   * Once, when the relay broke the rules or has gone; its streams are destroyed then, and what they were sending counts as left: where its memory
   * is given back afterwards, this destroys `output` before it returns.
   */
  readonly onBroken: (reason: Error) => void;
  /** A question, to be answered by `answer`. */
  readonly onQuestion?: (number: number, bytes: Uint8Array) => void;
}

/** The service's end of `agent relay` (src/wire/streams.ts): calls `onStream` for each connection made inside. */
export class RelayStreams {
  readonly #parts: RelayParts;
  readonly #streams = new Map<number, RelayStream>();
  /** The relay has reset them and forgotten their numbers; what came before is read still. */
  readonly #unread = new Set<RelayStream>();
  /** Of both ends, each of which has places of its own: what one opens is on its way still when the other opens another. */
  readonly #places = { relay: 0, service: 0 };
  readonly #listening = new Map<number, PromiseWithResolvers<number>>();
  #last = 0;
  #lastQuestion = 0;
  #lastOwn = FIRST_OF_SERVICE;
  #broken = false;
  /** Of those whose bytes have not left: what was closed may never say so. */
  readonly #sending = new Set<() => void>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
    const decoder = new FrameDecoder(kind => (kind === StreamFrame.data ? LEAST_PIECE_BYTES : 0));
    const onBytes = (bytes: Buffer) => {
      if (!this.#broken) decoder.push(bytes, frame => this.#onFrame(frame));
      release(bytes);
    };
    parts.input.on(
      'data',
      guarded(onBytes, error => this.#break(error)),
    );
    for (const stream of [parts.input, parts.output])
      for (const event of ['end', 'close', 'error'])
        stream.on(event, () => this.#break(new Error('the relay has gone')));
  }

  /**
   * Has it listen on a port, by default of every address, or on 0 for questions. Resolves to 0 or the error number of why not. A port that is
   * listened on already stays so.
   */
  listen(port: number, address = 0): Promise<number> {
    const known = this.#listening.get(port);
    if (known) return known.promise;
    const listening = Promise.withResolvers<number>();
    listening.promise.catch(() => {});
    this.#listening.set(port, listening);
    if (this.#broken) listening.reject(new Error('the relay has gone'));
    this.send(StreamFrame.listen, 0, new FieldWriter(8).u32(port).u32(address).bytes);
    return listening.promise;
  }

  unlisten(port: number): void {
    this.sendNumber(StreamFrame.unlisten, 0, port);
  }

  /** Up to {@link DATAGRAM_BYTES}; lost, as datagrams may be, where the other end does not read. */
  answer(question: number, bytes: Uint8Array): void {
    if (!this.#parts.output.writableNeedDrain) this.send(StreamFrame.datagram, question, bytes);
  }

  /** Connects to what listens inside; destroyed where nothing does. */
  connect(port: number): RelayStream {
    if (this.#places.service >= MAX_STREAMS) throw new Error(`more than ${MAX_STREAMS} streams`);
    const number = ++this.#lastOwn;
    const stream = this.#made(number);
    this.sendNumber(StreamFrame.connect, number, port);
    if (this.#broken) stream.destroy();
    return stream;
  }

  send(kind: number, number: number, payload: Uint8Array = EMPTY): void {
    if (!this.#broken) this.#parts.output.write(encodeFrame(kind, number, payload));
  }

  /** Sends bytes of a stream without a copy; resolves when they have left, or will not. */
  async sendData(number: number, piece: Uint8Array): Promise<void> {
    if (this.#broken) return;
    const left = Promise.withResolvers<void>();
    this.#sending.add(left.resolve);
    writeFrame(this.#parts.output, [StreamFrame.data, number], piece, () => left.resolve());
    await left.promise;
    this.#sending.delete(left.resolve);
  }

  sendNumber(kind: number, number: number, value: number): void {
    if (!this.#broken) this.#parts.output.write(encodeNumber(kind, number, value));
  }

  forget(number: number): void {
    if (this.#streams.delete(number)) this.#places[endOf(number)]--;
  }

  /** Keeps one that was reset until it is destroyed. False: there are too many. */
  keepUnread(stream: RelayStream): boolean {
    if (this.#broken || this.#unread.size >= MAX_STREAMS) return false;
    this.#unread.add(stream);
    stream.once('close', () => this.#unread.delete(stream));
    return true;
  }

  #made(number: number): RelayStream {
    const stream = new RelayStream(this, number);
    this.#streams.set(number, stream);
    this.#places[endOf(number)]++;
    return stream;
  }

  #onFrame({ kind, channel, payload, rest }: Frame): void {
    if (kind === StreamFrame.open) return this.#open(channel, payload);
    if (kind === StreamFrame.datagram) return this.#question(channel, payload);
    if (kind === StreamFrame.listening) return this.#listens(payload);
    const stream = this.#streams.get(channel);
    if (stream) return stream.onFrame(kind, payload, rest);
    // Of one that was reset here while this was on its way.
    const known =
      channel > FIRST_OF_SERVICE ? channel <= this.#lastOwn : channel > 0 && channel <= this.#last;
    if (!known) throw new Error('a frame of a stream that was never opened');
  }

  #open(number: number, payload: Uint8Array): void {
    const fields = new FieldReader(payload);
    const to = { port: fields.u32(), address: fields.u32() };
    fields.end();
    if (number <= this.#last || number >= FIRST_OF_SERVICE)
      throw new Error('a stream with a number that was used before');
    if (this.#places.relay >= MAX_STREAMS) throw new Error(`more than ${MAX_STREAMS} streams`);
    this.#last = number;
    const stream = this.#made(number);
    this.#parts.onStream(stream, to);
  }

  #question(number: number, payload: Uint8Array): void {
    if (payload.byteLength > DATAGRAM_BYTES || number <= this.#lastQuestion)
      throw new Error('a question that nobody can have asked');
    this.#lastQuestion = number;
    this.#parts.onQuestion?.(number, payload);
  }

  #listens(payload: Uint8Array): void {
    const fields = new FieldReader(payload);
    const [port, error] = [fields.u32(), fields.u32()];
    fields.end();
    const asked = this.#listening.get(port);
    if (!asked) throw new Error('it listens where nobody told it to');
    this.#listening.delete(port);
    asked.resolve(error);
  }

  #break(reason: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    for (const stream of [...this.#streams.values(), ...this.#unread]) stream.destroy();
    for (const asked of this.#listening.values()) asked.reject(reason);
    this.#parts.onBroken(reason);
    for (const left of this.#sending) left();
  }
}

function endOf(number: number): 'relay' | 'service' {
  return number > FIRST_OF_SERVICE ? 'service' : 'relay';
}

/** One connection. */
export class RelayStream extends Duplex {
  readonly #relay: RelayStreams;
  readonly #number: number;
  /** What may still be sent; what has come and was not granted again. */
  #window = STREAM_WINDOW_BYTES;
  #ungranted = 0;
  #granted: (() => void) | undefined;
  #ended = false;
  #reset = false;
  #connected = false;

  constructor(relay: RelayStreams, number: number) {
    super({ allowHalfOpen: true });
    this.#relay = relay;
    this.#number = number;
    this.on('error', () => {});
  }

  onFrame(kind: number, payload: Uint8Array, rest: number): void {
    switch (kind) {
      case StreamFrame.data:
        return this.#data(payload, rest);
      case StreamFrame.end:
        if (this.#ended) throw new Error('a second end of a stream');
        this.#ended = true;
        return void this.push(null);
      case StreamFrame.reset:
        this.#reset = true;
        this.#relay.forget(this.#number);
        this.#granted?.();
        // What came before is read first, as of a connection of the kernel's.
        if (this.readableLength === 0 || !this.#relay.keepUnread(this)) this.destroy();
        return;
      case StreamFrame.connected:
        if (this.#number <= FIRST_OF_SERVICE || this.#connected) throw new Error('it is connected already');
        this.#connected = true;
        return void this.emit('connect');
      case StreamFrame.credit:
        this.#window += decodeNumber(payload);
        if (this.#window > STREAM_WINDOW_BYTES) throw new Error('more granted of a stream than was used');
        return this.#granted?.();
      default:
        throw new Error(`a frame of kind ${kind} on a stream`);
    }
  }

  #data(payload: Uint8Array, rest: number): void {
    if (this.#ended) throw new Error('data after the end of a stream');
    this.#ungranted += payload.byteLength + (rest === 0 ? STREAM_FRAME_COST : 0);
    if (this.#ungranted > STREAM_WINDOW_BYTES) throw new Error('more of a stream than was granted');
    this.push(Buffer.from(payload));
  }

  override read(size?: number): Buffer | null {
    const bytes = super.read(size);
    if (this.#reset && this.readableLength === 0) process.nextTick(() => this.destroy());
    return bytes;
  }

  override _read(): void {
    if (this.#reset || this.#ungranted < CREDIT_STEP_BYTES) return;
    this.#relay.sendNumber(StreamFrame.credit, this.#number, this.#ungranted);
    this.#ungranted = 0;
  }

  override async _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): Promise<void> {
    for (let at = 0; at < chunk.byteLength && !this.destroyed && !this.#reset; ) {
      const room = Math.min(this.#window - STREAM_FRAME_COST, STREAM_DATA_BYTES);
      if (room <= 0) {
        await new Promise<void>(resolve => (this.#granted = resolve));
        continue;
      }
      const piece = chunk.subarray(at, at + room);
      this.#window -= piece.byteLength + STREAM_FRAME_COST;
      at += piece.byteLength;
      await this.#relay.sendData(this.#number, piece);
    }
    done();
  }

  override _final(done: (error?: Error) => void): void {
    if (!this.#reset) this.#relay.send(StreamFrame.end, this.#number);
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
