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

/** RFC 9659: a window of 8 MB at most, as a power of two; more would be memory that a client makes the service take. */
const ZSTD_WINDOW_LOG = 23;
/** The quickest of each: what else would be gained on the way would be lost to the time it takes. */
const FAST = 1;

/** Content codings (RFC 9110, 8.4.1) that are read and written, the preferred one first. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

const DECODERS: Record<Coding, () => Transform> = {
  gzip: () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

const ENCODERS: Record<Coding, () => Transform> = {
  gzip: () => createGzip({ level: FAST }),
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: FAST } }),
  zstd: () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: FAST } }),
};

export const decoder = (coding: Coding): Transform => DECODERS[coding]();
export const encoder = (coding: Coding): Transform => ENCODERS[coding]();
