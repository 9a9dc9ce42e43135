import type { Socket } from 'node:net';
import { FieldReader, FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame, encodeNumber, type Frame, FrameDecoder } from '../../src/wire/frames.ts';
import { STREAM_FRAME_COST, StreamFrame } from '../../src/wire/streams.ts';

/** A connection of a program's, as the relay has it. */
export interface FakeStream {
  readonly number: number;
  received: string;
  /** How it ended; null while it goes on. */
  end: 'end' | 'reset' | null;
}

/** What a sandbox's relay says to the egress process, without a sandbox: programs are the test. */
export class FakeRelay {
  readonly #socket: Socket;
  readonly #streams = new Map<number, FakeStream>();
  readonly #answers = new Map<number, (bytes: Buffer) => void>();
  readonly listening: number[] = [];
  /** Error numbers to answer with, by port. */
  readonly taken = new Map<number, number>();
  #numbers = 0;
  #questions = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder();
    socket.on('data', bytes => decoder.push(bytes as Buffer, frame => this.#onFrame(frame)));
    socket.on('error', () => {});
  }

  get closed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  /** The address that stands for a name, in parts; null where it is not there. */
  async ask(name: string): Promise<string | null> {
    const labels = name.split('.').map(label => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
    const header = Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const answer = await new Promise<Buffer>(resolve => {
      this.#answers.set(++this.#questions, resolve);
      const question = Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
      this.#socket.write(encodeFrame(StreamFrame.datagram, this.#questions, question));
    });
    return answer.readUInt16BE(6) === 1 ? answer.subarray(-4).join('.') : null;
  }

  /** Connects to an address and says something; the half that says it ends there if `ends`. */
  open(port: number, address: string, says: string | Uint8Array = '', ends = false): FakeStream {
    const stream: FakeStream = { number: ++this.#numbers, received: '', end: null };
    this.#streams.set(stream.number, stream);
    const parts = address.split('.').map(Number);
    const number = parts.reduce((value, part) => value * 256 + part, 0);
    this.#send(StreamFrame.open, stream.number, new FieldWriter().u32(port).u32(number).bytes);
    this.say(stream, says);
    if (ends) this.#send(StreamFrame.end, stream.number);
    return stream;
  }

  say(stream: FakeStream, says: string | Uint8Array): void {
    const bytes = Buffer.from(says as string, 'latin1');
    if (bytes.length > 0) this.#send(StreamFrame.data, stream.number, bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(kind: number, number: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.#socket.write(encodeFrame(kind, number, payload));
  }

  #onFrame({ kind, channel, payload }: Frame): void {
    const stream = this.#streams.get(channel);
    if (kind === StreamFrame.listen) this.#listen(new FieldReader(payload).u32());
    else if (kind === StreamFrame.unlisten) this.#unlisten(new FieldReader(payload).u32());
    else if (kind === StreamFrame.datagram) this.#answers.get(channel)?.(Buffer.from(payload));
    else if (!stream) return;
    else if (kind === StreamFrame.data) {
      stream.received += Buffer.from(payload).toString('latin1');
      this.#socket.write(encodeNumber(StreamFrame.credit, channel, payload.length + STREAM_FRAME_COST));
    } else if (kind === StreamFrame.end) stream.end ??= 'end';
    else if (kind === StreamFrame.reset) stream.end = 'reset';
  }

  #listen(port: number): void {
    const error = this.taken.get(port) ?? 0;
    if (error === 0) this.listening.push(port);
    this.#send(StreamFrame.listening, 0, new FieldWriter().u32(port).u32(error).bytes);
  }

  #unlisten(port: number): void {
    this.listening.splice(this.listening.indexOf(port), 1);
  }
}
