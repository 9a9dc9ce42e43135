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
import { ServiceError } from '../../../src/errors.ts';

/** RFC 9659: a window of 8 MB at most, as a power of two; more would be memory that a client makes the service take. */
const ZSTD_WINDOW_LOG = 23;
/** The quickest of each: a transfer is seldom slower for what is sent than for the time it takes to make it smaller. */
const FAST = { gzip: 1, br: 1, zstd: 1 } as const;

/** Content codings (RFC 9110, 8.4.1) that are read and written, the preferred one first. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

const DECODERS: Record<Coding, () => Transform> = {
  gzip: () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

const ENCODERS: Record<Coding, () => Transform> = {
  gzip: () => createGzip({ level: FAST.gzip }),
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: FAST.br } }),
  zstd: () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: FAST.zstd } }),
};

export const decoder = (coding: Coding): Transform => DECODERS[coding]();
export const encoder = (coding: Coding): Transform => ENCODERS[coding]();

/** The coding of a request's body; null for none. @throws {ServiceError} UNSUPPORTED_MEDIA_TYPE */
export function codingOf(header: string | undefined): Coding | null {
  const name = header?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return null;
  const coding = CODINGS.find(each => each === (name === 'x-gzip' ? 'gzip' : name));
  if (coding) return coding;
  throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `content-encoding: must be one of ${CODINGS.join(', ')}`);
}

/** The coding that an `Accept-Encoding` header likes best (RFC 9110, 12.5.3); null for none. */
export function acceptedCoding(header: string | undefined): Coding | null {
  const wishes = new Map<string, number>();
  for (const wish of (header ?? '').split(',')) {
    const [, name = '', weight] = /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(wish) ?? [];
    wishes.set(name.toLowerCase(), weight === undefined ? 1 : Number(weight));
  }
  const liked = (coding: Coding) => wishes.get(coding) ?? wishes.get('*') ?? 0;
  const best = Math.max(...CODINGS.map(liked));
  const coding = CODINGS.find(each => liked(each) === best);
  return best > 0 && best >= (wishes.get('identity') ?? 0) ? coding! : null;
}
