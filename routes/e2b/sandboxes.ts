import { randomBytes } from 'node:crypto';
import { USER_HOME } from '../../src/sandbox.ts';
import { MAX_LIFETIME_MINUTES, type SessionInfo } from '../../src/schemas/session.ts';
import type { Call } from '../../src/service/call.ts';
import type { Sessions } from '../../src/service/service.ts';
import { Refusal } from './refusals.ts';
import { templateNamed } from './templates.ts';

const TOKEN_BYTES = 32;
const SECOND_MS = 1000;

/** What a client asks for. */
export interface Wish {
  readonly template: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** A session that was made at this door, as its clients see it. */
export interface Sandbox {
  readonly id: string;
  /** Its place among all that were made. */
  readonly number: number;
  /** When it was made, by the clock that goes on only. */
  readonly bornAt: number;
  /** Whose key made it. */
  readonly owner: string | null;
  readonly template: string;
  /** Is asked of every call to the daemon inside. */
  readonly token: string;
}

/** The sandboxes of this door. An entry is as long here as its session lives, which the service bounds. */
export class Sandboxes {
  readonly #sessions: Sessions;
  /** In the order they were made. */
  readonly #all = new Map<string, Sandbox>();
  #numbers = 0;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async create(wish: Wish, call: Call): Promise<{ sandbox: Sandbox; info: SessionInfo }> {
    const { language } = templateNamed(wish.template);
    const config = {
      language,
      metadata: wish.metadata,
      environment: { HOME: USER_HOME, ...wish.environment },
      maxLifetimeMinutes: wish.timeoutSeconds / 60,
      idleTimeoutMinutes: MAX_LIFETIME_MINUTES,
    };
    let ended = false;
    const onEnded = () => {
      ended = true;
      this.drop(id);
    };
    let id = '';
    const info = await this.#sessions.create(config, call, { home: true, onEnded });
    id = info.sessionId;
    const sandbox = {
      id,
      number: ++this.#numbers,
      bornAt: performance.now(),
      owner: call.owner,
      template: wish.template,
      token: randomBytes(TOKEN_BYTES).toString('base64url'),
    };
    if (!ended) this.#all.set(id, sandbox);
    return { sandbox, info };
  }

  /** One of the caller's. @throws {Refusal} 404, also for another key's */
  find(id: string, { owner }: Pick<Call, 'owner'>): Sandbox {
    const sandbox = this.#all.get(id);
    if (sandbox?.owner === owner) return sandbox;
    throw new Refusal(404, `sandbox ${JSON.stringify(id.slice(0, 100))} not found`);
  }

  /** By its id alone, for who proves by its token that it is theirs. */
  lookUp(id: string): Sandbox | undefined {
    return this.#all.get(id);
  }

  /** It ends or has ended: whoever asks from now on is told that it is gone. */
  drop(id: string): void {
    this.#all.delete(id);
  }

  all(): Iterable<Sandbox> {
    return this.#all.values();
  }

  /** The caller's, the newest first. */
  of({ owner }: Pick<Call, 'owner'>): Sandbox[] {
    return [...this.#all.values()].filter(sandbox => sandbox.owner === owner).reverse();
  }

  /** What is known of it now. */
  info({ id }: Sandbox, call: Call): Promise<SessionInfo> {
    return this.#sessions.get(id, call);
  }

  /** Moves its end to so many seconds from now; with `onlyLater` one that is later stays. */
  async setEnd(
    { id }: Sandbox,
    { seconds, onlyLater = false }: { seconds: number; onlyLater?: boolean },
    call: Call,
  ): Promise<SessionInfo> {
    return this.#sessions.setEnd(id, { afterMs: seconds * SECOND_MS, onlyLater }, call);
  }

  async kill({ id }: Sandbox, call: Call): Promise<void> {
    this.drop(id);
    await this.#sessions.close(id, call);
  }
}
