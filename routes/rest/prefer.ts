import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { oneOf } from '../../src/schemas/shapes.ts';

/** How long a client waits for the end of what it asks for, and what of its preferences is honoured. */
export interface WaitWish {
  /** Infinity: until the end. */
  readonly seconds: number;
  /** Preference-Applied of an answer that has the end; null for none. */
  readonly applied: string | null;
  /** Preference-Applied of an answer before the end; null for none. */
  readonly appliedLate: string | null;
}

/** Headers and query of a request that may wait, for a route's contract. */
export const PreferHeader = Type.Object({
  prefer: Type.Optional(
    Type.String({
      description:
        'wait=SECONDS: answer when it has ended, or with 202 when that time is over; wait: however long it takes; respond-async: ' +
        'with 202 at once, or after the wait (RFC 7240)',
    }),
  ),
});
export const WaitQuery = Type.Optional(
  oneOf(['true', 'false'], 'true: answer when it has ended, as Prefer: wait does; it is stronger than that'),
);

/** Headers of an answer that comes before the end, for a route's contract. */
export const LATE_HEADERS = {
  location: Type.String({ description: 'Where its state can be asked for' }),
  'preference-applied': Type.Optional(Type.String({ description: 'What of Prefer was honoured' })),
};

/**
 * Reads `Prefer` (RFC 7240: `wait` in section 4.3, `respond-async` in 4.1) and `?wait=true`; null for neither. What is malformed is
 * ignored, as section 2 has it. Its grammar has no `wait` without a number; that is read as one without end.
 */
export function waitWish(prefer: string | undefined, query: 'true' | 'false' | undefined): WaitWish | null {
  if (query === 'true') return { seconds: Number.POSITIVE_INFINITY, applied: null, appliedLate: null };
  const preferred = preferences(prefer ?? '');
  const wait = /^\d{0,15}$/.exec(preferred.get('wait') ?? 'none')?.[0];
  const applied = wait === undefined ? null : wait === '' ? 'wait' : `wait=${Number(wait)}`;
  const background = preferred.get('respond-async') === '' ? 'respond-async' : null;
  if (applied === null && background === null) return null;
  return {
    seconds: wait === undefined ? 0 : wait === '' ? Number.POSITIVE_INFINITY : Number(wait),
    applied,
    appliedLate: [background, applied].filter(each => each !== null).join(', '),
  };
}

/** Makes an answer that has the end say what was honoured. */
export function tellApplied(reply: Pick<FastifyReply, 'header'>, wish: WaitWish | null): void {
  if (wish?.applied) reply.header('preference-applied', wish.applied);
}

/** Makes an answer before the end 202, with where to ask for the state. */
export function answerLate(
  reply: Pick<FastifyReply, 'header' | 'code'>,
  wish: WaitWish | null,
  executionId: string,
): void {
  reply.code(202).header('location', `/api/execution/${executionId}`);
  if (wish?.appliedLate) reply.header('preference-applied', wish.appliedLate);
}

/** Values by name, without their parameters; of one that is there twice the first. */
function preferences(header: string): Map<string, string> {
  const found = new Map<string, string>();
  // A quoted text may hold what separates preferences. Of those that are read here none does.
  const flat = header.replace(/"([^"]*)"/g, (_, text: string) => (/^\w*$/.test(text) ? text : '?'));
  for (const preference of flat.split(',')) {
    const [name = '', value = ''] = (preference.split(';', 1)[0] ?? '').split('=').map(each => each.trim());
    const token = name.toLowerCase();
    if (!found.has(token)) found.set(token, value);
  }
  return found;
}
