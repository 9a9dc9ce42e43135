import { Duplex } from 'node:stream';
import { guarded } from '../../wire/guarded.ts';
import { release } from '../../wire/release.ts';

/** Header: u8 stream, 3 unused bytes, u32 length (Engine API, "Stream format"). */
const HEADER_BYTES = 8;
const STDOUT = 1;
const STDERR = 2;
const KEPT_STDERR_BYTES = 800;

/**
 * The agent's stream, taken from a container's attached stream: standard output without the engine's headers, or what comes by a direct
 * connection in its place. Standard error is kept to explain the end.
 */
export class AttachedStream extends Duplex {
  /** The first few hundred bytes of standard error. */
  stderr = '';
  readonly #socket: Duplex;
  /** What carries the stream. */
  #carrier: Duplex;
  readonly #beforeEnd: () => Promise<void>;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  /** Bytes left of the current frame. */
  #left = 0;
  #isError = false;
  #ended = false;
  /** The end was signalled: nothing may follow it. */
  #over = false;

  /** `beforeEnd` is awaited before the end is signalled, so that the reason is known by then. */
  constructor(socket: Duplex, beforeEnd: () => Promise<void>) {
    super({ autoDestroy: false });
    this.#socket = socket;
    this.#carrier = socket;
    this.#beforeEnd = beforeEnd;
    this.#listen(socket, chunk => this.#take(chunk));
  }

  /** Goes over to a direct connection, on which the agent begins anew. The end of either is the stream's. */
  goOver(direct: Duplex): void {
    this.#carrier = direct;
    this.#listen(direct, chunk => {
      if (!this.#over && !this.push(chunk)) direct.pause();
    });
  }

  #listen(to: Duplex, take: (chunk: Buffer) => void): void {
    const broken = () => to.destroy();
    to.on('data', guarded(take, broken));
    for (const event of ['end', 'close', 'error'])
      to.on(
        event,
        guarded(() => this.#end(), broken),
      );
  }

  override _read(): void {
    this.#carrier.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#carrier.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#carrier.cork();
    for (const { chunk } of chunks.slice(0, -1)) this.#carrier.write(chunk);
    this.#carrier.write(chunks.at(-1)!.chunk, done);
    this.#carrier.uncork();
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    this.#carrier.destroy();
    done();
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        at += this.#readHeader(chunk.subarray(at));
        continue;
      }
      const piece = chunk.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      if (this.#isError) this.#keepStderr(piece);
      else if (this.#carrier === this.#socket && !this.push(piece)) this.#socket.pause();
    }
    if (this.readableLength === 0) release(chunk);
  }

  #readHeader(chunk: Buffer): number {
    const taken = chunk.copy(this.#header, this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled === HEADER_BYTES) {
      this.#headerFilled = 0;
      const stream = this.#header[0];
      // Not a frame of a container: the stream is closed.
      if (stream !== STDOUT && stream !== STDERR) this.#socket.destroy();
      this.#isError = stream !== STDOUT;
      this.#left = this.#header.readUInt32BE(4);
    }
    return taken;
  }

  #keepStderr(piece: Buffer): void {
    const room = KEPT_STDERR_BYTES - this.stderr.length;
    if (room > 0) this.stderr += piece.toString('utf8', 0, room);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const over = () => {
      this.#over = true;
      this.push(null);
    };
    void this.#beforeEnd().then(over, over);
  }
}
