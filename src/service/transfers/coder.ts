import type { Transform } from 'node:stream';
import { cancelled } from '../../errors.ts';
import type { Turns } from '../admission/fair-turns.ts';

/** What a coder is given. */
export interface CoderParts {
  /** Of zlib's: what it makes at once is one turn's. */
  readonly stream: Transform;
  readonly turns: Turns;
  /** Bytes that a turn has taken and made to what it has cost. */
  readonly cost: (bytes: number) => number;
}

/**
 * Does or undoes a content coding piece by piece, as fast as what comes of it is taken. The work is done in the client's turns, of a piece
 * that comes or one that it makes; the next is made while the last is taken.
 */
export class Coder {
  readonly #parts: CoderParts;
  /** Resolves once the turn is over. */
  #resting: Promise<void> = Promise.resolve();
  #rest: () => void = () => {};
  /** Something was given to the stream that it is not done with. */
  #isBusy = false;
  #failure: unknown;
  /** All that it will make has been read. */
  #ended = false;

  constructor(parts: CoderParts) {
    this.#parts = parts;
    const { stream } = parts;
    stream.on('readable', () => this.#rest());
    stream.on('end', () => {
      this.#ended = true;
      this.#done();
    });
    stream.on('error', error => {
      this.#failure = error;
      this.#done();
    });
    stream.on('close', () => {
      this.#cancel();
      this.#done();
    });
  }

  /** What comes of a piece, which must not change before all of that has been asked for. @throws what zlib says of it */
  async *write(data: Uint8Array): AsyncGenerator<Uint8Array, void> {
    const { stream } = this.#parts;
    await this.#work(data.byteLength, () => {
      this.#isBusy = true;
      // Its failure is told by the stream.
      stream.write(data, error => {
        if (!error) this.#done();
      });
    });
    yield* this.#made();
    const last = stream.read();
    if (last) yield last;
  }

  /** What is left. @throws what zlib says of what came */
  async *end(): AsyncGenerator<Uint8Array, void> {
    await this.#work(0, () => {
      this.#isBusy = true;
      this.#parts.stream.end();
    });
    yield* this.#made();
  }

  close(): void {
    this.#cancel();
    this.#parts.stream.destroy();
    this.#parts.turns.leave();
  }

  /** What is made until the stream is done. */
  async *#made(): AsyncGenerator<Uint8Array, void> {
    for (await this.#resting; this.#isBusy && !this.#isOver(); await this.#resting) {
      // The next one is begun by taking this one.
      const piece = await this.#work(0, () => this.#parts.stream.read());
      if (piece) yield piece;
    }
    this.#isOver();
  }

  #cancel(): void {
    if (!this.#ended) this.#failure ??= cancelled();
  }

  #done(): void {
    this.#isBusy = false;
    this.#rest();
  }

  #isOver(): boolean {
    if (this.#failure) throw this.#failure;
    return this.#ended;
  }

  /** Begins something in a turn, which is over when the stream has made a piece, or all that comes of what it has. */
  async #work<T>(taken: number, begin: () => T): Promise<T | undefined> {
    const { stream, turns, cost } = this.#parts;
    // Who has left gets no turn.
    if (this.#failure || this.#ended) return;
    const end = await turns.next();
    if (this.#failure || this.#ended) return void end(0);
    const rested = Promise.withResolvers<void>();
    this.#rest = rested.resolve;
    this.#resting = rested.promise.then(() => end(cost(taken + stream.readableLength)));
    const begun = begin();
    if (!this.#isBusy) this.#rest();
    return begun;
  }
}
