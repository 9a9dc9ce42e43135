import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ServiceError } from '../../errors.ts';
import { nullable, oneOf } from '../../schemas/shapes.ts';
import { CLOSE_REASONS, type CloseReason } from '../../schemas/status-events.ts';

const IN_WORDS: Readonly<Record<CloseReason, string>> = {
  client: 'its client closed it',
  idle: 'nobody used it for its idleTimeoutMinutes',
  lifetime: 'it had lived for its maxLifetimeMinutes',
  lost: 'its sandbox was lost',
  shutdown: 'the server shut down',
};

/** How long an end is remembered, milliseconds. */
const REMEMBERED_MS = 3_600_000;
/** Most ends remembered, some 200 bytes each; the oldest go first. */
const MOST = 10_000;

const Ended = Type.Object({
  id: Type.String(),
  owner: nullable(Type.String()),
  reason: oneOf(CLOSE_REASONS),
  at: Type.Number({ description: 'Milliseconds since 1970' }),
});
const List = Type.Array(Ended, { maxItems: MOST });
interface End {
  readonly owner: string | null;
  readonly reason: CloseReason;
  readonly at: number;
}

/**
 * Remembers for an hour why sessions ended, so that a client which comes back is told. Written to a file when the server shuts
 * down, for the server that starts next.
 */
export class EndedSessions {
  readonly #ends = new Map<string, End>();
  readonly #file: string | null;

  /** Without a file nothing outlives this process. */
  constructor(file: string | null = null) {
    this.#file = file;
    for (const { id, ...end } of file === null ? [] : read(file)) this.#ends.set(id, end);
  }

  add(id: string, owner: string | null, reason: CloseReason): void {
    this.#ends.set(id, { owner, reason, at: Date.now() });
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > MOST && oldest !== undefined) this.#ends.delete(oldest);
  }

  /** The error for a session that is not open: with `reason` where it has ended within the hour. */
  notFound(id: string, owner: string | null): ServiceError {
    const end = this.#ends.get(id);
    const message = `Session not found: ${id}`;
    if (!end || end.owner !== owner || Date.now() - end.at > REMEMBERED_MS)
      return new ServiceError('SESSION_NOT_FOUND', message);
    const { reason, at } = end;
    const details = `It ended at ${new Date(at).toISOString()}: ${IN_WORDS[reason]}`;
    return new ServiceError('SESSION_NOT_FOUND', message, { details, reason });
  }

  /** Writes the ends of the last hour to the file. A failure only means that the next server knows nothing of them. */
  save(): void {
    if (this.#file === null) return;
    const since = Date.now() - REMEMBERED_MS;
    const recent = [...this.#ends].filter(([, { at }]) => at > since).map(([id, end]) => ({ id, ...end }));
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(recent));
      renameSync(`${this.#file}.new`, this.#file);
    } catch {}
  }
}

function read(file: string) {
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Value.Check(List, list) ? list : [];
  } catch {
    return [];
  }
}
