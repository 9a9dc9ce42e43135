import { ServiceError } from '../../src/errors.ts';
import { USER_HOME, WORKSPACE } from '../../src/sandbox.ts';
import type { FileEvent } from '../../src/schemas/file-events.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import { RpcError } from './connect-protocol.ts';
import { eventsOf, type Watched } from './file-events.ts';
import { seenPath } from './paths.ts';
import type { Sandbox } from './sandboxes.ts';

/** Events that wait for a client that asks for them, and characters of them; more wait in the sandbox. */
const MOST_WAITING = 1000;
const MOST_LENGTH = 256 * 1024;

/**
 * How long a client that asks waits for the first event and for each further one, milliseconds, and for how many at most: clients ask right
 * after what they did, and find it told by then at E2B.
 */
const FIRST_MS = 200;
const NEXT_MS = 40;
const MOST_WAITS = 8;

export interface WatchRequest {
  readonly path: string;
  readonly recursive: boolean;
  readonly includeEntry: boolean;
}

/** Events of a watch that a client asks for. */
interface Waiting {
  readonly events: object[];
  /** Characters of them. */
  length: number;
  /** Why there will be no more. */
  failure: RpcError | null;
  readonly stop: AbortController;
  /** Something was taken. */
  taken: () => void;
  /** Who waits for what comes next. */
  readonly askers: Set<(came: boolean) => void>;
}

/** Watches of sandboxes' directories: told as they come, or kept until they are asked for. */
export class Watchers {
  readonly #service: Service;
  readonly #waiting = new WeakMap<Sandbox, Map<string, Waiting>>();

  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * Watches until `until` is aborted; each event is told when the one before has been. Resolves once it does.
   * @throws {RpcError}
   */
  async open(
    sandbox: Sandbox,
    { path, recursive, includeEntry }: WatchRequest,
    call: Call,
    { tell, until }: { tell: (event: object | RpcError) => Promise<void>; until: AbortSignal },
  ): Promise<string> {
    const { watches, entries } = this.#service;
    const seen = seenPath(path);
    await this.#mustBeDirectory(sandbox, seen, call);
    if (seen !== USER_HOME && !seen.startsWith(`${USER_HOME}/`))
      throw new RpcError('unimplemented', `only what is below ${USER_HOME} can be watched`);
    const watched: Watched = {
      sandboxId: sandbox.id,
      path: seen,
      includeEntry,
      call: { ...call, signal: until },
    };
    const onEvent = async ({ params }: FileEvent) => {
      try {
        for (const event of await eventsOf(params, watched, entries)) await tell(event);
      } catch (error) {
        await tell(error instanceof RpcError ? error : new RpcError('internal', 'Internal error'));
      }
    };
    const wish = { sessionId: sandbox.id, path: WORKSPACE + seen.slice(USER_HOME.length), recursive };
    const { watchId, start } = await watches.open(wish, call, onEvent, until);
    start();
    return watchId;
  }

  /** Keeps events until they are asked for. */
  async create(sandbox: Sandbox, request: WatchRequest, call: Call): Promise<string> {
    const kept = this.#waiting.get(sandbox)?.size ?? 0;
    if (kept >= LIMITS.watches)
      throw new RpcError('resource_exhausted', 'Take the events of watchers that have ended, or remove them');
    const stop = new AbortController();
    const waiting: Waiting = {
      events: [],
      length: 0,
      failure: null,
      stop,
      taken: () => {},
      askers: new Set(),
    };
    const watcherId = await this.open(sandbox, request, call, {
      until: stop.signal,
      tell: event => keep(waiting, event),
    });
    // Only now: others may have come meanwhile.
    const own = this.#waiting.get(sandbox) ?? new Map<string, Waiting>();
    this.#waiting.set(sandbox, own.set(watcherId, waiting));
    return watcherId;
  }

  /** Those that wait, or come in a moment. @throws {RpcError} also once, when there will be no more */
  async take(sandbox: Sandbox, watcherId: string): Promise<object[]> {
    const waiting = this.#find(sandbox, watcherId);
    let patience = waiting.events.length > 0 ? NEXT_MS : FIRST_MS;
    for (let i = 0; i < MOST_WAITS && mayCome(waiting) && (await comesWithin(patience, waiting)); i++)
      patience = NEXT_MS;
    const events = waiting.events.splice(0);
    waiting.length = 0;
    waiting.taken();
    if (events.length === 0 && waiting.failure) {
      this.remove(sandbox, watcherId);
      throw waiting.failure;
    }
    return events;
  }

  remove(sandbox: Sandbox, watcherId: string): void {
    const waiting = this.#find(sandbox, watcherId);
    waiting.stop.abort();
    waiting.taken();
    answer(waiting, false);
    this.#waiting.get(sandbox)?.delete(watcherId);
  }

  #find(sandbox: Sandbox, watcherId: string): Waiting {
    const waiting = this.#waiting.get(sandbox)?.get(watcherId);
    if (!waiting)
      throw new RpcError('not_found', `watcher ${JSON.stringify(watcherId.slice(0, 100))} not found`);
    return waiting;
  }

  async #mustBeDirectory({ id }: Sandbox, path: string, call: Call): Promise<void> {
    const { type } = await this.#service.entries.describe(id, path, call).catch(error => {
      if (error instanceof ServiceError && error.code === 'NOT_FOUND')
        throw new RpcError('not_found', `path ${path} not found`);
      throw error;
    });
    if (type !== 'directory') throw new RpcError('invalid_argument', `path ${path} is not a directory`);
  }
}

async function keep(waiting: Waiting, event: object | RpcError): Promise<void> {
  if (event instanceof RpcError) {
    waiting.failure ??= event;
    return answer(waiting, false);
  }
  waiting.events.push(event);
  waiting.length += JSON.stringify(event).length;
  answer(waiting, true);
  if (!isFull(waiting) || waiting.stop.signal.aborted) return;
  await new Promise<void>(resolve => {
    waiting.taken = resolve;
  });
}

function isFull({ events, length }: Waiting): boolean {
  return events.length >= MOST_WAITING || length >= MOST_LENGTH;
}

function mayCome(waiting: Waiting): boolean {
  return !isFull(waiting) && !waiting.failure && !waiting.stop.signal.aborted;
}

/** Whether anything comes in so many milliseconds. */
async function comesWithin(ms: number, { askers }: Waiting): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  askers.add(resolve);
  const timer = setTimeout(resolve, ms, false);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    askers.delete(resolve);
  }
}

function answer({ askers }: Waiting, came: boolean): void {
  for (const asker of askers) asker(came);
}
