import type { Runtime } from '../../runtimes/runtime.ts';
import type { StatusEvent, StatusEventName } from '../../schemas/status-events.ts';
import { OwnerEvents } from './owner-events.ts';
import type { Subscription, Wish } from './subscription.ts';

/** How often states of runtimes are looked at while somebody wants to be told, milliseconds: half of what being told may take. */
const LOOK_MS = 25;

type ParamsOf<N extends StatusEventName> = Omit<Extract<StatusEvent, { method: N }>['params'], 'at'>;

/**
 * Tells what happens to those who want to know: each owner of its own sessions and runs, and everybody of runtimes. Where nobody wants
 * to, nothing is kept, and telling costs a look into a map.
 */
export class StatusBoard {
  readonly #owners = new Map<string | null, OwnerEvents>();
  readonly #runtimes: readonly Runtime[];
  readonly #shown = new Map<Runtime, string>();
  #look: NodeJS.Timeout | undefined;

  constructor(runtimes: readonly Runtime[]) {
    this.#runtimes = runtimes;
  }

  /** Somebody is told of an owner's runs, or was a moment ago. */
  isFollowed(owner: string | null): boolean {
    return this.#owners.has(owner);
  }

  tell<N extends StatusEventName>(owner: string | null, method: N, params: ParamsOf<N>): void {
    if (!this.#owners.has(owner)) return;
    const event = { method, params: { ...params, at: new Date().toISOString() } };
    this.pass(owner, event as unknown as StatusEvent);
  }

  /** Tells an event as it is. */
  pass(owner: string | null, event: StatusEvent): void {
    const events = this.#owners.get(owner);
    if (events?.isOver) this.#owners.delete(owner);
    else events?.add(event);
  }

  /** `after`: the id of the last event that the reader has. Reads until the signal aborts. */
  subscribe(owner: string | null, wish: Wish, after: string | undefined, signal: AbortSignal): Subscription {
    const known = this.#owners.get(owner);
    const events = known && !known.isOver ? known : new OwnerEvents();
    this.#owners.set(owner, events);
    const reader = events.subscribe(wish, after, signal);
    this.#watchRuntimes();
    return reader;
  }

  close(): void {
    clearInterval(this.#look);
  }

  /** Their states change where nothing tells of it: a container engine is asked, and images are built by hand. */
  #watchRuntimes(): void {
    if (this.#look || !this.#isWanted('runtime.state')) return;
    for (const runtime of this.#runtimes) this.#shown.set(runtime, reasonOf(runtime));
    this.#look = setInterval(() => this.#lookAtRuntimes(), LOOK_MS).unref();
  }

  #lookAtRuntimes(): void {
    for (const runtime of this.#runtimes) {
      const now = reasonOf(runtime);
      if (this.#shown.get(runtime) === now) continue;
      this.#shown.set(runtime, now);
      const { type: runtimeType, state } = runtime;
      const params = {
        runtimeType,
        available: state.available,
        reason: state.available ? null : state.reason,
      };
      for (const owner of this.#owners.keys()) this.tell(owner, 'runtime.state', params);
    }
    if (this.#isWanted('runtime.state')) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }

  #isWanted(name: StatusEventName): boolean {
    for (const { readers } of this.#owners.values())
      for (const { wish } of readers) if (wish.names.has(name)) return true;
    return false;
  }
}

/** Why a runtime is not available; empty for one that is. */
function reasonOf({ state }: Runtime): string {
  return state.available ? '' : state.reason;
}
