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
/** Most commands of theirs remembered, some 100 bytes each; the oldest go first. */
const MOST_RUNS = 50_000;

const Ended = Type.Object({
  id: Type.String(),
  owner: nullable(Type.String()),
  reason: oneOf(CLOSE_REASONS),
  at: Type.Number({ description: 'Milliseconds since 1970' }),
  runs: Type.Optional(Type.Array(Type.String(), { maxItems: MOST_RUNS })),
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
  /** Sessions of commands, by execution id. */
  readonly #runs = new Map<string, string>();
  readonly #file: string | null;

  /** Without a file nothing outlives this process. */
  constructor(file: string | null = null) {
    this.#file = file;
    for (const { id, runs = [], ...end } of file === null ? [] : read(file)) this.#add(id, end, runs);
  }

  /** `runs` are the execution ids of its commands whose status could be asked for. */
  add(id: string, owner: string | null, reason: CloseReason, runs: readonly string[] = []): void {
    this.#add(id, { owner, reason, at: Date.now() }, runs);
  }

  #add(id: string, end: End, runs: readonly string[]): void {
    this.#ends.set(id, end);
    forgetOldest(this.#ends, MOST);
    for (const run of runs) this.#runs.set(run, id);
    forgetOldest(this.#runs, MOST_RUNS);
  }

  /** The error for a session that is not open: with `reason` where it has ended within the hour. */
  notFound(id: string, owner: string | null): ServiceError {
    const end = this.#recent(id, owner);
    return new ServiceError(
      'SESSION_NOT_FOUND',
      `Session not found: ${id}`,
      end ? { details: `It ended at ${inWords(end)}`, reason: end.reason } : {},
    );
  }

  /** The error for a command of a session that has ended within the hour; null for any other. */
  runNotFound(executionId: string, owner: string | null): ServiceError | null {
    const id = this.#runs.get(executionId);
    const end = id === undefined ? null : this.#recent(id, owner);
    if (!end) return null;
    const details = `It was a command of session ${id}, which ended at ${inWords(end)}`;
    return new ServiceError('NOT_FOUND', `Execution not found: ${executionId}`, {
      details,
      reason: end.reason,
    });
  }

  #recent(id: string, owner: string | null): End | null {
    const end = this.#ends.get(id);
    return end && end.owner === owner && Date.now() - end.at <= REMEMBERED_MS ? end : null;
  }

  /** Writes the ends of the last hour to the file. A failure only means that the next server knows nothing of them. */
  save(): void {
    if (this.#file === null) return;
    const since = Date.now() - REMEMBERED_MS;
    const runs = Map.groupBy(this.#runs.keys(), run => this.#runs.get(run));
    const recent = [...this.#ends]
      .filter(([, { at }]) => at > since)
      .map(([id, end]) => ({ id, ...end, runs: runs.get(id) ?? [] }));
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(recent));
      renameSync(`${this.#file}.new`, this.#file);
    } catch {}
  }
}

function inWords({ at, reason }: End): string {
  return `${new Date(at).toISOString()}: ${IN_WORDS[reason]}`;
}

/** In the order of their making. */
function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
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
