import type { MimeBundle } from '../../kernels/protocol.ts';
import type { Emitter } from '../events/emitter.ts';
import type { ResultSink } from './kernel-client.ts';

/** What a cell's results may add up to in memory, bytes: in a reply, and in a log for those who come back. */
const MAX_RESULT_BYTES = 16 * 1024 * 1024;
/** Past this a cell is not worth listening to any more, and its interpreter ends. */
const FLOOD_BYTES = 4 * MAX_RESULT_BYTES;
/** What an empty one counts for, so that their number is bounded too. */
const BUNDLE_BYTES = 1024;

/** Collects a cell's rich results, bounded. */
export class Results implements ResultSink {
  readonly bundles: MimeBundle[] = [];
  readonly #emitter: Emitter | null;
  #bytes = 0;

  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  /** Some were left out. */
  get incomplete(): boolean {
    return this.#bytes > MAX_RESULT_BYTES;
  }

  /** What has no room counts as well. */
  admit(bytes: number): boolean {
    this.#bytes += BUNDLE_BYTES + bytes;
    if (this.#bytes > FLOOD_BYTES) throw new Error('more results than anybody could want');
    return !this.incomplete;
  }

  add(bundle: MimeBundle, bytes: number): void {
    this.bundles.push(bundle);
    this.#emitter?.result(bundle, bytes);
  }
}
