import { idKey } from './exact-ids.ts';

type Id = string | number | null | undefined;

interface Entry {
  readonly id: Id;
  readonly endsWithConnection: boolean;
  readonly controller: AbortController;
  readonly signal: AbortSignal;
}

/** The requests of one connection that have no answer yet. */
export class InFlight {
  readonly #entries = new Set<Entry>();
  /** If a client uses an id twice at once, only the later request can be cancelled. */
  readonly #byId = new Map<unknown, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  enter(id: Id, endsWithConnection: boolean): Entry {
    const controller = new AbortController();
    const entry = { id, endsWithConnection, controller, signal: controller.signal };
    this.#entries.add(entry);
    if (id !== undefined) this.#byId.set(idKey(id), entry);
    return entry;
  }

  exit(entry: Entry): void {
    this.#entries.delete(entry);
    const key = idKey(entry.id);
    if (this.#byId.get(key) === entry) this.#byId.delete(key);
  }

  cancel(id: Id): boolean {
    const entry = this.#byId.get(idKey(id));
    entry?.controller.abort();
    return entry !== undefined;
  }

  /** Aborts the requests that end with their connection. */
  leave(): void {
    for (const entry of this.#entries) if (entry.endsWithConnection) entry.controller.abort();
  }
}
