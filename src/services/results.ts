import type { MimeBundle } from '../kernels/protocol.ts';
import type { Emitter } from './emitter.ts';

/** What a cell's results may add up to in a reply, bytes of JSON. */
const MAX_RESULT_BYTES = 16 * 1024 * 1024;
/** What an empty one counts for, so that their number is bounded too. */
const BUNDLE_BYTES = 256;

/** Collects a cell's rich results, bounded. */
export class Results {
  readonly bundles: MimeBundle[] = [];
  readonly #emitter: Emitter | null;
  #bytes = 0;

  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  readonly add = (bundle: MimeBundle): void => {
    this.#bytes += BUNDLE_BYTES + JSON.stringify(bundle).length;
    if (this.#bytes > MAX_RESULT_BYTES) return;
    this.bundles.push(bundle);
    this.#emitter?.result(bundle);
  };
}
