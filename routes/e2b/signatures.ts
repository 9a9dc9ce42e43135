import { createHash } from 'node:crypto';
import { isSameSecret } from '../../src/same-secret.ts';
import { Refusal } from './refusals.ts';
import type { Sandbox } from './sandboxes.ts';

/** What a signed URL allows, as its query says it. */
export interface Signed {
  readonly signature: string;
  readonly path: string;
  readonly operation: 'read' | 'write';
  readonly user: string;
  /** Seconds since 1970 as they are written; undefined for one that is good as long as its sandbox. */
  readonly expiration: string | undefined;
}

const LONGEST = 8192;

/**
 * The sandbox whose token a URL was signed with (signature.ts of E2B's SDK): it names none. Each that comes into question costs a
 * microsecond or so; what they have in common is hashed once.
 * @throws {Refusal} 401
 */
export function signedFor(sandboxes: Iterable<Sandbox>, signed: Signed): Sandbox {
  const { signature, path, operation, user, expiration } = signed;
  const begin = `${path}:${operation}:${user}:`;
  if (begin.length > LONGEST) throw new Refusal(400, 'path is too long');
  const common = createHash('sha256').update(begin);
  const rest = expiration === undefined ? '' : `:${expiration}`;
  let found: Sandbox | undefined;
  for (const sandbox of sandboxes) {
    const digest = common.copy().update(`${sandbox.token}${rest}`).digest('base64');
    if (isSameSecret(signature, `v1_${digest.replace(/=+$/, '')}`)) found = sandbox;
  }
  if (!found) throw new Refusal(401, 'invalid signature');
  if (expiration !== undefined && !(Number(expiration) > Date.now() / 1000))
    throw new Refusal(401, 'signature is already expired');
  return found;
}
