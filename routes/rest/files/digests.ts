import { invalid } from '../../../src/errors.ts';

const SHA256_BYTES = 32;
const BASE64 = '[A-Za-z0-9+/]{43}=';

/** What a client says of the bytes it sends, SHA-256 each. */
export interface Digests {
  /** Of this message's body as it is sent. */
  readonly content: Buffer | null;
  /** Of all of it: the same, but for a part. */
  readonly whole: Buffer | null;
}

/**
 * `Content-Digest` and `Repr-Digest` (RFC 9530), and `Digest` (RFC 3230), which means what the second does. Other algorithms are left
 * alone. @throws {ServiceError} one of SHA-256 that is none
 */
export function digestsOf(headers: Readonly<Record<string, string | string[] | undefined>>): Digests {
  const read = (name: string, pattern: RegExp) => {
    const value = [headers[name] ?? []].flat().join(',');
    if (!/(?:^|,)\s*sha-256=/i.test(value)) return null;
    const digest = Buffer.from(pattern.exec(value)?.[1] ?? '', 'base64');
    if (digest.byteLength === SHA256_BYTES) return digest;
    throw invalid(name, `is not ${name === 'digest' ? 'sha-256=BASE64' : 'sha-256=:BASE64:'} of 32 bytes`);
  };
  const field = new RegExp(`(?:^|,)\\s*sha-256=:(${BASE64}):`);
  const whole = read('digest', new RegExp(`(?:^|,)\\s*sha-256=(${BASE64})`, 'i'));
  return { content: read('content-digest', field), whole: read('repr-digest', field) ?? whole };
}
