import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../src/errors.ts';
import { USER_HOME } from '../../src/sandbox.ts';
import { MAX_LIFETIME_MINUTES, type SessionConfig, type SessionInfo } from '../../src/schemas/session.ts';
import type { Call } from '../../src/service/call.ts';
import type { AllPortsWish, Service, Sessions } from '../../src/service/service.ts';
import { type Egress, isDefault, isNothing, rulesOf } from './network.ts';
import { notThere, Refusal } from './refusals.ts';
import { templateNamed } from './templates.ts';

const TOKEN_BYTES = 32;
const SECOND_MS = 1000;

/** What a client asks for. */
export interface Wish {
  readonly template: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly egress: Egress;
  /** Whoever knows its id may ask its ports. */
  readonly publicTraffic: boolean;
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
  /** Is asked of calls about contexts, and of who comes to ports that are not public. */
  readonly trafficToken: string;
  readonly publicTraffic: boolean;
  /** What its ports' names are below; null where connections can't be carried into sandboxes. */
  readonly domain: string | null;
  /** Where it may connect; null for one that has no network. */
  egress: Egress | null;
}

/** The sandboxes of this door. An entry is as long here as its session lives, which the service bounds. */
export class Sandboxes {
  readonly #service: Pick<Service, 'sessions' | 'ports' | 'capabilities'>;
  readonly #sessions: Sessions;
  /** In the order they were made. */
  readonly #all = new Map<string, Sandbox>();
  #numbers = 0;

  constructor(service: Pick<Service, 'sessions' | 'ports' | 'capabilities'>) {
    this.#service = service;
    this.#sessions = service.sessions;
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
    const create = (network: Network) =>
      this.#sessions.create({ ...config, ...network }, call, { home: true, onEnded });
    const { info, egress } = await withNetwork(wish.egress, await this.#hasNetworks(), create);
    id = info.sessionId;
    const { publicTraffic } = wish;
    const trafficToken = newToken();
    const sandbox = {
      id,
      number: ++this.#numbers,
      bornAt: performance.now(),
      owner: call.owner,
      template: wish.template,
      token: newToken(),
      trafficToken,
      publicTraffic,
      domain: await this.#exposePorts({ sessionId: id, public: publicTraffic, token: trafficToken }, call),
      egress,
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

  /** Has it connect to these from now on. @throws {ServiceError | Refusal} */
  async setNetwork(sandbox: Sandbox, egress: Egress, call: Call): Promise<void> {
    if (sandbox.egress) {
      await this.#sessions.update(sandbox.id, { network: rulesOf(egress) }, call);
      sandbox.egress = egress;
    } else if (!isNothing(egress))
      throw notThere('A network for this sandbox, which was made without one, is');
    else await this.#sessions.get(sandbox.id, call);
  }

  async kill({ id }: Sandbox, call: Call): Promise<void> {
    this.drop(id);
    await this.#sessions.close(id, call);
  }

  /** Their clients ask for no port: what they may ask, and who else, is said when a sandbox is made. */
  async #exposePorts(wish: AllPortsWish, call: Call): Promise<string | null> {
    try {
      return (await this.#service.ports.exposeAll(wish, call)).domain;
    } catch (error) {
      // Where they can't be reached, or it has ended already, nothing else is any different.
      if (error instanceof ServiceError) return null;
      throw error;
    }
  }

  async #hasNetworks(): Promise<boolean> {
    return (await this.#service.capabilities()).supports.has('Network');
  }
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

type Network = Pick<SessionConfig, 'network' | 'networkEnabled'>;

/**
 * Creates with the network that is asked for. One that is not asked for, but what clients have by default, is all that the operator
 * allows, and none where there is none.
 */
async function withNetwork(
  egress: Egress,
  hasNetworks: boolean,
  create: (network: Network) => Promise<SessionInfo>,
): Promise<{ info: SessionInfo; egress: Egress | null }> {
  if (!hasNetworks) {
    // There is nothing to deny.
    if (egress.allowOut.length > 0) throw notThere('A network (network.allowOut) is');
    return { info: await create({}), egress: null };
  }
  if (!isDefault(egress)) return { info: await create({ network: rulesOf(egress) }), egress };
  try {
    return { info: await create({ networkEnabled: true }), egress };
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_SUPPORTED') throw error;
    return { info: await create({}), egress: null };
  }
}
