import type { MimeBundle } from '../../kernels/protocol.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { Emitter } from '../events/emitter.ts';
import type { ResultSink } from './kernel-client.ts';

/** Total size after which the kernel is killed, bytes. */
const FLOOD_BYTES = 4 * LIMITS.resultsBytes;
/** Bytes that an empty result counts for, which bounds their number. */
const BUNDLE_BYTES = 1024;

/** A cell's rich results, bounded in size. */
export class Results implements ResultSink {
  readonly bundles: MimeBundle[] = [];
  readonly #emitter: Emitter | null;
  #bytes = 0;
  /** What the bundles take in memory, bytes. */
  heldBytes = 0;

  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  /** Some were left out. */
  get incomplete(): boolean {
    return this.#bytes > LIMITS.resultsBytes;
  }

  /** Includes results that did not fit. */
  admit(bytes: number): boolean {
    this.#bytes += BUNDLE_BYTES + bytes;
    if (this.#bytes > FLOOD_BYTES) throw new Error('more results than anybody could want');
    return !this.incomplete;
  }

  add(bundle: MimeBundle, bytes: number, isValue: boolean): void {
    this.bundles.push(bundle);
    this.heldBytes += BUNDLE_BYTES + bytes;
    this.#emitter?.result(bundle, bytes, isValue);
  }
}
