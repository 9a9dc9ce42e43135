import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from 'node:zlib';
import { FairTurns } from '../admission/fair-turns.ts';
import { Coder } from './coder.ts';

/** RFC 9659: a window of 8 MB at most, as a power of two; more would be memory that a client makes the service take. */
const ZSTD_WINDOW_LOG = 23;
/** The quickest of each: what else would be gained on the way would be lost to the time it takes. */
const FAST = 1;

/** What a coder makes before that is taken, bytes: more of it would not be the work of one turn. */
const MADE_BYTES = 1;
const making = <T extends object>(options: T): T => ({ ...options, readableHighWaterMark: MADE_BYTES });

/** Content codings (RFC 9110, 8.4.1) that are read and written, the preferred one first. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];
/** Compressed by us, or by who sends it. */
export const DIRECTIONS = ['encode', 'decode'] as const;
export type Direction = (typeof DIRECTIONS)[number];

const STREAMS: Record<Direction, Record<Coding, () => Transform>> = {
  encode: {
    gzip: () => createGzip(making({ level: FAST })),
    br: () => createBrotliCompress(making({ params: { [constants.BROTLI_PARAM_QUALITY]: FAST } })),
    zstd: () => createZstdCompress(making({ params: { [constants.ZSTD_c_compressionLevel]: FAST } })),
  },
  decode: {
    gzip: () => createGunzip(making({})),
    br: () => createBrotliDecompress(making({})),
    zstd: () =>
      createZstdDecompress(making({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })),
  },
};

/** Milliseconds of CPU that a MiB takes, as it was measured for programs and texts, what goes in and what comes out counted. */
const COSTS: Record<Direction, Record<Coding, number>> = {
  encode: { gzip: 13, br: 7, zstd: 3 },
  decode: { gzip: 4, br: 4, zstd: 2 },
};
const MIB = 1024 * 1024;

/** Shares what the service's own CPUs do for codings among clients. */
export class Codings {
  readonly #turns: FairTurns;
  readonly #spent: (coding: Coding, direction: Direction, seconds: number) => void;

  /** `most`: pieces that are worked on at once. `spent` is told what each has taken. */
  constructor(most: number, spent: (coding: Coding, direction: Direction, seconds: number) => void) {
    this.#turns = new FairTurns(most);
    this.#spent = spent;
  }

  /** To be closed. */
  open(client: string, coding: Coding, direction: Direction): Coder {
    const cost = (bytes: number) => {
      const ms = (bytes / MIB) * COSTS[direction][coding];
      this.#spent(coding, direction, ms / 1000);
      return ms;
    };
    return new Coder({ stream: STREAMS[direction][coding](), turns: this.#turns.join(client), cost });
  }
}
