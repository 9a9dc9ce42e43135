import { ServiceError } from '../../src/errors.ts';
import type { SessionInfo } from '../../src/schemas/session.ts';
import type { Call } from '../../src/service/call.ts';
import { Refusal } from './refusals.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';

const MOST_ON_PAGE = 100;
/** Most characters of metadata on a page that has more than one sandbox. */
const MOST_METADATA = 2 * 1024 * 1024;

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Which sandboxes are asked for. */
interface Selection {
  /** Each of these names with this value. */
  readonly metadata: readonly (readonly [string, string])[];
  readonly running: boolean;
  readonly template: string | undefined;
  readonly startedAfter: number;
  readonly oldestFirst: boolean;
  readonly limit: number;
  /** The number of the last one on the page before. */
  readonly after: number | null;
}

/** @throws {Refusal} naming the parameter */
export function readListQuery(query: Query): Selection {
  const one = (name: string) => [query[name] ?? []].flat().at(-1);
  const states = [query.state ?? []].flat().flatMap(value => value.split(','));
  const limit = Number(one('limit') ?? MOST_ON_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ON_PAGE)
    throw new Refusal(400, `limit must be an integer from 1 to ${MOST_ON_PAGE}`);
  const startedAfter = one('startedAfter');
  const after = startedAfter === undefined ? 0 : Date.parse(startedAfter);
  if (Number.isNaN(after)) throw new Refusal(400, 'startedAfter must be a time');
  const order = one('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw new Refusal(400, 'order must be asc or desc');
  return {
    metadata: pairsIn(one('metadata') ?? ''),
    running: states.length === 0 || states.includes('running'),
    template: one('template'),
    startedAfter: after,
    oldestFirst: order === 'asc',
    limit,
    after: tokenIn(one('nextToken')),
  };
}

function tokenIn(token = ''): number | null {
  if (token === '') return null;
  if (!/^\d{1,15}$/.test(token)) throw new Refusal(400, 'nextToken is of no page');
  return Number(token);
}

/** Clients encode names and values, and then the query of them. */
function pairsIn(query: string): [string, string][] {
  try {
    return [...new URLSearchParams(query)].map(pair => pair.map(decodeURIComponent) as [string, string]);
  } catch {
    throw new Refusal(400, 'metadata is not encoded as a URL');
  }
}

interface Page {
  readonly found: readonly { readonly sandbox: Sandbox; readonly info: SessionInfo }[];
  /** For the next page; null when this is the last. */
  readonly next: string | null;
}

export async function pageOf(sandboxes: Sandboxes, asked: Selection, call: Call): Promise<Page> {
  const { template, metadata, startedAfter, after, limit } = asked;
  const newestFirst = sandboxes.of(call);
  const all = asked.oldestFirst ? newestFirst.reverse() : newestFirst;
  const isBehind = ({ number }: Sandbox) =>
    after === null || (asked.oldestFirst ? number > after : number < after);
  const found: { sandbox: Sandbox; info: SessionInfo }[] = [];
  if (!asked.running) return { found, next: null };
  let length = 0;
  for (const sandbox of all.filter(isBehind)) {
    if (template !== undefined && sandbox.template !== template) continue;
    const info = await infoOf(sandboxes, sandbox, call);
    if (!info || Date.parse(info.createdAt) < startedAfter) continue;
    const own = info.config.metadata ?? {};
    if (!metadata.every(([name, value]) => Object.hasOwn(own, name) && own[name] === value)) continue;
    length += JSON.stringify(own).length;
    if (found.length === limit || (found.length > 0 && length > MOST_METADATA))
      return { found, next: String(found.at(-1)!.sandbox.number) };
    found.push({ sandbox, info });
  }
  return { found, next: null };
}

/** Null for one that has ended meanwhile. */
async function infoOf(sandboxes: Sandboxes, sandbox: Sandbox, call: Call): Promise<SessionInfo | null> {
  try {
    return await sandboxes.info(sandbox, call);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'SESSION_NOT_FOUND') return null;
    throw error;
  }
}
