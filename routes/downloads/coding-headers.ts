import { ServiceError } from '../../src/errors.ts';
import { CODINGS, type Coding } from '../../src/service/transfers/codings.ts';

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
