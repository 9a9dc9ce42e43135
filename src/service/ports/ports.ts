import { createHash } from 'node:crypto';
import { type CallLog, logAbout } from '../../call-log.ts';
import { notSupported, ServiceError } from '../../errors.ts';
import type { Networks } from '../../network/networks.ts';
import { labelOf, type PortNames, portOfSession } from '../../port-names.ts';
import type { Call } from '../call.ts';
import type { AllPortsWish, PortFollower, PortLead, Ports, PortWish } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import type { StatusBoard } from '../status/status-board.ts';
import { checkPort, type ExposedPort, SessionPorts } from './session-ports.ts';

/** Names that are remembered when their session has ended. */
const MAX_GONE = 10_000;

/** The ports of all sessions' programs, and what names lead to them. */
export class OpenPorts implements Ports {
  readonly #sessions: SessionManager;
  readonly #networks: Networks | null;
  readonly #names: PortNames;
  readonly #board: StatusBoard;
  readonly #log: CallLog;
  readonly #of = new Map<Session, SessionPorts>();
  /** By a digest of their label, so that the time of a look-up tells nothing of other labels. */
  readonly #exposed = new Map<string, { session: Session; exposed: ExposedPort }>();
  readonly #gone = new Set<string>();
  /** Sessions all of whose ports are exposed, by a digest of their ids. */
  readonly #whole = new Map<string, { session: Session; wish: AllPortsWish }>();

  constructor(parts: {
    sessions: SessionManager;
    networks: Networks | null;
    names: PortNames;
    board: StatusBoard;
    log: CallLog;
  }) {
    this.#sessions = parts.sessions;
    this.#networks = parts.networks;
    this.#names = parts.names;
    this.#board = parts.board;
    this.#log = parts.log;
  }

  async expose(
    { sessionId, port, ttlSeconds, public: isPublic = false }: PortWish,
    call: Call,
    follower?: PortFollower,
  ) {
    const session = this.#sessions.find(sessionId, call);
    session.touch();
    const options = { ttlSeconds: ttlSeconds ?? null, isPublic };
    const ports = this.#portsOf(session);
    const { label, token } = ports.expose(checkPort(port), options);
    if (follower) ports.follow(follower.tell, follower.until);
    call.log.debug({ sessionId, port, public: isPublic }, 'a port is exposed');
    return { port, url: this.#names.urlOf(label), token };
  }

  async exposeAll(wish: AllPortsWish, call: Call) {
    const session = this.#sessions.find(wish.sessionId, call);
    this.#portsOf(session);
    this.#whole.set(digest(session.id), { session, wish });
    call.log.debug({ sessionId: session.id, public: wish.public }, 'all ports are exposed');
    return { domain: this.#names.domain };
  }

  async unexpose(sessionId: string, port: number, call: Call): Promise<void> {
    const session = this.#sessions.find(sessionId, call);
    session.touch();
    if (!this.#of.get(session)?.unexpose(port))
      throw new ServiceError('NOT_FOUND', `Port ${port} is not exposed`, { field: 'port' });
    call.log.debug({ sessionId, port }, 'a port is exposed no more');
  }

  async list(sessionId: string, call: Call, follower?: PortFollower) {
    const session = this.#sessions.find(sessionId, call);
    session.touch();
    const ports = this.#portsOf(session);
    const listening = await ports.list();
    if (follower) ports.follow(follower.tell, follower.until);
    const isWhole = this.#whole.has(digest(session.id));
    return listening.map(({ port, address, exposed }) => {
      const label = exposed?.label ?? (isWhole ? labelOf(port, session.id) : null);
      return { port, address, exposed: label !== null, url: label && this.#names.urlOf(label) };
    });
  }

  find(label: string): PortLead | 'unknown' | 'gone' {
    const key = digest(label);
    const found = this.#exposed.get(key);
    if (!found) return this.#findById(label) ?? (this.#gone.has(key) ? 'gone' : 'unknown');
    const { session, exposed } = found;
    return {
      ...exposed,
      owner: session.owner,
      request: request => this.#portsOf(session).request(exposed.port, request),
    };
  }

  #findById(label: string): PortLead | null {
    const named = portOfSession(label);
    const found = named && this.#whole.get(digest(named.sessionId));
    if (!found) return null;
    const { session, wish } = found;
    const { port } = named;
    return {
      port,
      isPublic: wish.public,
      token: wish.token,
      owner: session.owner,
      request: request => this.#portsOf(session).request(port, request, 'id'),
    };
  }

  #portsOf(session: Session): SessionPorts {
    const known = this.#of.get(session);
    if (known) return known;
    const networks = this.#networks;
    if (!networks) throw notSupported('port', 'this server carries no connections into sandboxes');
    let ended = false;
    const log = logAbout(this.#log, { sessionId: session.id });
    const made = new SessionPorts({
      session,
      network: async () => session.network?.carrier ?? networks.openInward(session.lease.sandbox, log),
      held: () => session.network?.carrier.ports ?? [],
      onChange: ({ method, params }) => this.#board.tell(session.owner, method, params),
      onExposed: exposed => this.#exposed.set(digest(exposed.label), { session, exposed }),
      onGone: ({ label }) => {
        this.#exposed.delete(digest(label));
        if (ended) this.#remember(digest(label));
      },
    });
    this.#of.set(session, made);
    void session.ended.then(() => {
      ended = true;
      made[Symbol.dispose]();
      this.#of.delete(session);
      this.#whole.delete(digest(session.id));
    });
    return made;
  }

  #remember(key: string): void {
    this.#gone.add(key);
    const [oldest] = this.#gone;
    if (this.#gone.size > MAX_GONE) this.#gone.delete(oldest!);
  }
}

function digest(label: string): string {
  return createHash('sha256').update(label).digest('base64');
}
