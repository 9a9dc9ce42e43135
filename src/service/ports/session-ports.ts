import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { invalid, ServiceError } from '../../errors.ts';
import type { PortRequest } from '../../network/egress/port-frames.ts';
import { EgressLost } from '../../network/egress-process.ts';
import type { SandboxNetwork } from '../../network/sandbox-network.ts';
import { labelOf } from '../../port-names.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { PortEvent } from '../../schemas/ports.ts';
import { serviceError } from '../file-refusals.ts';
import type { Session } from '../sessions/session.ts';
import { type Listening, PortWatch } from './port-watch.ts';

const SECRET_BYTES = 16;
/** Events of ports that are told in a second; a program may make as many as it likes. */
const TOLD_PER_SECOND = 32;

/** A port that is reached from outside. */
export interface ExposedPort {
  readonly port: number;
  /** First label of its name. */
  readonly label: string;
  /** Who has it may ask what is not public. */
  readonly token: string;
  readonly isPublic: boolean;
}

interface Exposure {
  shown: ExposedPort;
  timer: NodeJS.Timeout | null;
  /** Ends what is open. */
  readonly open: Set<Socket>;
}

export type OnPortEvent = (event: PortEvent) => void;

export interface SessionPortsParts {
  readonly session: Session;
  /** The network that carries connections into its sandbox, opened when it is first asked for. */
  readonly network: () => Promise<SandboxNetwork>;
  /** Ports that its own network listens on. */
  readonly held: () => readonly number[];
  /** Is told of every change, beside those who follow. */
  readonly onChange: OnPortEvent;
  readonly onExposed: (exposed: ExposedPort) => void;
  readonly onGone: (exposed: ExposedPort) => void;
}

/** The ports of one session: what listens, what is exposed, and what is open to it. */
export class SessionPorts implements Disposable {
  readonly #parts: SessionPortsParts;
  readonly #exposures = new Map<number, Exposure>();
  #network: Promise<SandboxNetwork> | null = null;
  #watch: PortWatch | null = null;
  /** Ends what is open by the session's id. */
  readonly #openById = new Set<Socket>();
  /** By what ends their listening. */
  readonly #listeners = new Map<AbortSignal | null, OnPortEvent>();
  /** Takes what ends their listening back from connections that outlive the session. */
  readonly #over = new AbortController();
  #open = 0;
  #told = { second: 0, count: 0 };

  constructor(parts: SessionPortsParts) {
    this.#parts = parts;
    this.#listeners.set(null, parts.onChange);
  }

  /** Tells what begins or ends to listen, until the signal aborts; once, however often it is asked. */
  follow(tell: OnPortEvent, until: AbortSignal): void {
    const { signal } = this.#over;
    if (until.aborted || signal.aborted || this.#listeners.has(until)) return;
    this.#listeners.set(until, tell);
    until.addEventListener('abort', () => this.#listeners.delete(until), { once: true, signal });
  }

  /** Exposes a port, or changes for how long and for whom; its name stays. @throws {ServiceError} */
  expose(
    port: number,
    { ttlSeconds, isPublic }: { ttlSeconds: number | null; isPublic: boolean },
  ): ExposedPort {
    if (this.#parts.held().includes(port))
      throw new ServiceError('CONFLICT', `port: the session's own network listens on ${port}`, {
        field: 'port',
      });
    const known = this.#exposures.get(port);
    if (!known && this.#exposures.size >= LIMITS.exposedPorts)
      throw new ServiceError('CONFLICT', `port: ${LIMITS.exposedPorts} ports are exposed, the most allowed`, {
        field: 'port',
      });
    const names = known?.shown ?? { label: labelOf(port, secret()), token: secret() };
    const shown: ExposedPort = { port, label: names.label, token: names.token, isPublic };
    const exposure: Exposure = known ?? { shown, timer: null, open: new Set() };
    exposure.shown = shown;
    if (exposure.timer) clearTimeout(exposure.timer);
    exposure.timer =
      ttlSeconds === null ? null : setTimeout(() => this.unexpose(port), ttlSeconds * 1000).unref();
    this.#exposures.set(port, exposure);
    this.#parts.onExposed(shown);
    this.#watching();
    return shown;
  }

  /** Ends what is open to it. False: it was not exposed. */
  unexpose(port: number): boolean {
    const exposure = this.#exposures.get(port);
    if (!exposure) return false;
    this.#exposures.delete(port);
    if (exposure.timer) clearTimeout(exposure.timer);
    this.#parts.onGone(exposure.shown);
    for (const socket of exposure.open) socket.destroy();
    return true;
  }

  /** What listens, in the order of ports. */
  async list(): Promise<{ port: number; address: string; exposed: ExposedPort | null }[]> {
    const listening = await this.#watching().listening();
    const held = this.#parts.held();
    return [...listening]
      .filter(([port]) => !held.includes(port))
      .sort(([one], [other]) => one - other)
      .map(([port, address]) => ({ port, address, exposed: this.#exposures.get(port)?.shown ?? null }));
  }

  /**
   * Sends a request to a port, whose body and answer go on the connection (port-frames.ts). As long as it is open the session is in use. By name it
   * must be exposed; by the session's id it is any that is the programs' own.
   * @throws {ServiceError} QUEUE_FULL for one too many, NOT_FOUND when it is exposed no more, RUNTIME_UNAVAILABLE, SESSION_CLOSED
   */
  async request(port: number, request: PortRequest, by: 'name' | 'id' = 'name'): Promise<Socket> {
    const { session } = this.#parts;
    if (this.#open >= LIMITS.portConnections)
      throw new ServiceError(
        'QUEUE_FULL',
        `${LIMITS.portConnections} connections to the session's ports are open, the most allowed`,
      );
    const held = session.hold();
    this.#open++;
    const leave = () => {
      this.#open--;
      held[Symbol.dispose]();
    };
    let socket: Socket | undefined;
    try {
      this.#network ??= this.#parts.network();
      this.#network.catch(() => {
        this.#network = null;
      });
      const network = await this.#network.catch(error => {
        throw error instanceof EgressLost ? notCarried(error) : serviceError(error);
      });
      const open = by === 'name' ? this.#exposures.get(port)?.open : this.#openOn(port);
      if (!open) throw new ServiceError('NOT_FOUND', `Port ${port} is not exposed`);
      socket = network.request(port, request) ?? undefined;
      if (!socket) throw notCarried();
      const opened = socket;
      open.add(opened);
      opened.once('close', () => {
        open.delete(opened);
        leave();
      });
      return opened;
    } finally {
      if (!socket) leave();
    }
  }

  [Symbol.dispose](): void {
    for (const port of [...this.#exposures.keys()]) this.unexpose(port);
    for (const socket of this.#openById) socket.destroy();
    this.#watch?.[Symbol.dispose]();
    this.#over.abort();
    this.#listeners.clear();
    void this.#network?.then(network => network[Symbol.dispose]()).catch(() => {});
  }

  /** Undefined for a port that the session's own network listens on, and once the session has ended. */
  #openOn(port: number): Set<Socket> | undefined {
    return this.#over.signal.aborted || this.#parts.held().includes(port) ? undefined : this.#openById;
  }

  #watching(): PortWatch {
    this.#watch ??= new PortWatch(this.#parts.session.lease.sandbox, (now, before) =>
      this.#tell(now, before),
    );
    return this.#watch;
  }

  #tell(now: Listening, before: Listening): void {
    const held = this.#parts.held();
    const sessionId = this.#parts.session.id;
    const tell = (method: 'port.opened' | 'port.closed', ports: Iterable<number>) => {
      for (const port of ports) {
        if (held.includes(port) || !this.#mayTell()) continue;
        for (const listener of this.#listeners.values()) listener({ method, params: { sessionId, port } });
      }
    };
    tell(
      'port.closed',
      [...before.keys()].filter(port => !now.has(port)),
    );
    tell(
      'port.opened',
      [...now.keys()].filter(port => !before.has(port)),
    );
  }

  #mayTell(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#told.second) this.#told = { second, count: 0 };
    return this.#told.count++ < TOLD_PER_SECOND;
  }
}

function notCarried(cause?: EgressLost): ServiceError {
  return new ServiceError('RUNTIME_UNAVAILABLE', 'The port can’t be reached now; try again later', { cause });
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('hex');
}

/** @throws {ServiceError} VALIDATION_ERROR */
export function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('port', 'is no number from 1 to 65535');
  return port;
}
