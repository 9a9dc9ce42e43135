import type { ExecutionEvent } from '../../schemas/events.ts';
import { piece } from './utf8.ts';

/** Runs and streams that one pack tells apart. */
const MAX_SOURCES = 64;
/** What an event takes in a pack in addition to its output, bytes. */
const MARK_BYTES = 12;

type Output = Extract<ExecutionEvent, { method: 'execution.output' }>['params'];
type Source = Pick<Output, 'executionId' | 'sessionId' | 'commandId' | 'stream'>;

/**
 * Consecutive short output events of a log, as bytes and one number each: a program that prints a short line now and
 * then would otherwise fill a log with a few of its lines.
 */
export class PackedOutput {
  readonly firstSeq: number;
  readonly #mostBytes: number;
  readonly #sources: Source[] = [];
  #buffer = Buffer.allocUnsafeSlow(256);
  /** For each event the end of its bytes in the buffer, and its source. */
  readonly #marks: number[] = [];
  #length = 0;

  /** Takes events until it has so many bytes of output. */
  constructor(firstSeq: number, mostBytes: number) {
    this.firstSeq = firstSeq;
    this.#mostBytes = mostBytes;
  }

  get count(): number {
    return this.#marks.length;
  }

  /** Bytes that so many of the events take. */
  cost(count: number): number {
    return count === 0 ? 0 : this.#end(count - 1) + count * MARK_BYTES;
  }

  /** Adds an event as the next one; false when the pack is full. An empty one takes any. */
  add({ text, data, ...source }: Omit<Output, 'seq'>): boolean {
    if (this.#length >= this.#mostBytes) return false;
    const of = this.#source(source);
    if (of < 0) return false;
    const bytes = text === undefined ? Buffer.from(data ?? '', 'base64') : Buffer.from(text, 'utf8');
    this.#reserve(this.#length + bytes.byteLength);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.byteLength;
    this.#marks.push(this.#length * MAX_SOURCES + of);
    return true;
  }

  event(index: number): ExecutionEvent {
    const source = this.#sources[this.#marks[index]! % MAX_SOURCES]!;
    const bytes = this.#buffer.subarray(index === 0 ? 0 : this.#end(index - 1), this.#end(index));
    const params = { ...source, ...(piece(bytes) ?? { text: '' }), seq: this.firstSeq + index };
    return { method: 'execution.output', params };
  }

  #end(index: number): number {
    return Math.floor(this.#marks[index]! / MAX_SOURCES);
  }

  /** Index of a source, added when it is new; -1 when there is no room for it. */
  #source({ executionId, sessionId, commandId, stream }: Source): number {
    const known = this.#sources.findIndex(
      each => each.stream === stream && each.executionId === executionId && each.commandId === commandId,
    );
    if (known >= 0 || this.#sources.length === MAX_SOURCES) return known;
    return this.#sources.push({ executionId, sessionId, commandId, stream }) - 1;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#buffer.byteLength));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
