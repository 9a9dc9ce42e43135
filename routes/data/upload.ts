import { invalid, ServiceError } from '../../src/errors.ts';
import type { Upload } from '../../src/service/service.ts';
import { release } from '../../src/wire/release.ts';
import { turn } from '../../src/wire/turns.ts';
import type { DataFrame } from './frames.ts';
import type { Id } from './messages.ts';
import { type ActiveTransfer, IDLE_MS, type Say, WINDOW_BYTES } from './transfer.ts';

/** What was taken is granted again in such steps. */
const GRANT_BYTES = WINDOW_BYTES / 4;

/** A file that comes over a connection: holds no more than the client's window, until the sandbox has taken it. */
export class UploadTransfer implements ActiveTransfer {
  readonly id: Id;
  readonly number: number;
  held = 0;
  readonly done: Promise<object>;
  readonly #upload: Upload;
  readonly #say: Say;
  readonly #onTaken: () => void;
  readonly #done = Promise.withResolvers<object>();
  readonly #idle: NodeJS.Timeout;
  readonly #queue: DataFrame[] = [];
  /** Where the next byte belongs. */
  #next: number;
  /** What the client may still send. */
  #window = WINDOW_BYTES;
  #taken = 0;
  #ends = false;
  #isWhole = false;
  #over = false;
  #busy = false;

  constructor(id: Id, upload: Upload, { say, onTaken }: { say: Say; onTaken: () => void }) {
    this.id = id;
    this.number = upload.transfer;
    this.done = this.#done.promise;
    this.#upload = upload;
    this.#say = say;
    this.#onTaken = onTaken;
    this.#next = upload.received;
    const idle = new ServiceError('CANCELLED', `Nothing has come for ${IDLE_MS / 1000} s; it can be resumed`);
    this.#idle = setTimeout(() => this.#cut(idle), IDLE_MS).unref();
    say({ id, op: 'ready', transfer: this.number, offset: this.#next });
    void upload.whole.then(() => {
      this.#isWhole = true;
      this.onEnd();
    });
  }

  onData(frame: DataFrame): void {
    const { offset, payload } = frame;
    // Behind the last byte of the file comes the end of what it was compressed with, if anything.
    if (this.#over || this.#isWhole) return;
    // The queue is bounded by bytes, and what has none would take a place in it.
    if (payload.byteLength === 0) return;
    this.#idle.refresh();
    if (this.#ends) return this.#cut(invalid('transfer', 'more has come after its end'));
    if (offset !== this.#next)
      return this.#cut(invalid('offset', `is ${offset}, and ${this.#next} bytes are there`));
    if (payload.byteLength > this.#window)
      return this.#cut(invalid('window', `more has come than the ${WINDOW_BYTES} bytes that were granted`));
    this.#window -= payload.byteLength;
    this.#next += payload.byteLength;
    this.#queue.push(frame);
    this.held += payload.byteLength;
    void this.#take();
  }

  onEnd(): void {
    this.#ends = true;
    void this.#take();
  }

  onWindow(): void {
    throw invalid('transfer', `${this.number} is an upload, and is sent nothing`);
  }

  stop(reason: ServiceError | null): void {
    if (!reason) return this.#cut(new ServiceError('CANCELLED', 'The connection is gone'));
    this.#upload.abort();
    this.#fail(reason);
  }

  async #take(): Promise<void> {
    if (this.#busy || this.#over) return;
    this.#busy = true;
    try {
      for (let frame = this.#queue.shift(); frame; frame = this.#queue.shift()) {
        const { byteLength } = frame.payload;
        await turn();
        if (this.#over) return;
        await this.#upload.write(frame.payload);
        release(frame.message);
        this.held -= byteLength;
        this.#grant(byteLength);
        this.#onTaken();
      }
      if (this.#ends) await this.#finish();
    } catch (error) {
      this.#upload.abort();
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  async #finish(): Promise<void> {
    const { bytes, sha256 } = await this.#upload.finish();
    this.#settle();
    this.#done.resolve({
      id: this.id,
      op: 'done',
      transfer: this.number,
      bytes,
      sha256: sha256?.toString('hex'),
    });
  }

  #grant(bytes: number): void {
    this.#taken += bytes;
    if (this.#over || this.#taken < GRANT_BYTES) return;
    this.#window += this.#taken;
    this.#say({ op: 'window', transfer: this.number, bytes: this.#taken });
    this.#taken = 0;
  }

  /** Its client may go on from what is there. */
  #cut(error: ServiceError): void {
    if (this.#over) return;
    this.#upload.pause();
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#settle();
    this.#done.reject(error);
  }

  #settle(): void {
    this.#over = true;
    this.#queue.length = 0;
    this.held = 0;
    this.#onTaken();
    clearTimeout(this.#idle);
  }
}
