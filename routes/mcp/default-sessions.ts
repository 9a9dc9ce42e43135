import { ServiceError } from '../../src/errors.ts';
import type { Call } from '../../src/service/call.ts';
import type { Sessions } from '../../src/service/service.ts';

/** Most sessions remembered. One that is forgotten lives on, and is found by its id only. */
const MOST = 10_000;

/** The session that a call means. */
export interface Found {
  readonly sessionId: string;
  /** This call began it. */
  readonly began: boolean;
  /** Has the next call begin another: this one has ended. */
  forget(): void;
}

/**
 * The sessions that calls without a session id mean: one for each connection of a client, or for each key where the protocol
 * knows no connections (without keys: for each address), begun when it is first needed. Languages that cannot share it have one
 * each beside it. How long they live is the service's to say.
 */
export class DefaultSessions {
  readonly #sessions: Sessions;
  /** In the order of last use. */
  readonly #known = new Map<string, Promise<string>>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** The session, begun in the language if there is none; `alone` means the one of a language that cannot share. */
  async find(connection: string | null, language: string, alone: boolean, call: Call): Promise<Found> {
    const key = keyOf(connection, call) + (alone ? language : '');
    const known = this.#known.get(key);
    const session = known ?? this.#begin(language, call);
    this.#keep(key, session);
    const forget = () => {
      if (this.#known.get(key) === session) this.#known.delete(key);
    };
    try {
      return { sessionId: await session, began: known === undefined, forget };
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Ends those of a connection; resolves to their ids. */
  async leave(connection: string | null, call: Call): Promise<string[]> {
    const own = [...this.#known].filter(([key]) => key.startsWith(keyOf(connection, call)));
    for (const [key] of own) this.#known.delete(key);
    const closed = own.map(async ([, session]) => {
      try {
        return [(await this.#sessions.close(await session, call)).sessionId];
      } catch (error) {
        // It has ended by itself, or never began.
        if (error instanceof ServiceError) return [];
        throw error;
      }
    });
    return (await Promise.all(closed)).flat();
  }

  #begin(language: string, call: Call): Promise<string> {
    // Others may wait for the same session, so that this call's end is not its end.
    const { signal } = new AbortController();
    return this.#sessions.create({ language }, { ...call, signal }).then(({ sessionId }) => sessionId);
  }

  #keep(key: string, session: Promise<string>): void {
    this.#known.delete(key);
    this.#known.set(key, session);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST) this.#known.delete(oldest!);
  }
}

/** How all keys of one caller and connection begin. Another key's connection is another one, whatever its name. */
function keyOf(connection: string | null, { owner, client }: Pick<Call, 'owner' | 'client'>): string {
  return JSON.stringify(connection === null ? [owner, client] : [owner, null, connection]);
}
