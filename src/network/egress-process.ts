import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfinedProcess } from '../confined/confined-process.ts';
import type { PolicyTexts } from '../network-rules/policy.ts';
import type { PortRequest } from './egress/port-frames.ts';
import {
  type Denial,
  type EgressEvent,
  type EgressRequest,
  type EgressSetup,
  MAX_LINE_LENGTH,
  type NetworkGreeting,
  type NetworkUsage,
  NO_TOTALS,
  type PortGreeting,
  type Totals,
} from './egress/protocol.ts';

const MAIN = fileURLToPath(new URL('./egress/main.ts', import.meta.url));
const START_MS = 60_000;
/** Look-ups at once, which wait in threads; with four of them a few slow names would hold up everybody's. */
const LOOK_UPS = '64';
/** Until it has told its totals, milliseconds. */
const TOTALS_MS = 1000;
/** It is asked that often whether it is there still, milliseconds, and given up when it has told nothing after so many times. */
const BEAT_MS = 5000;
const MOST_SILENT = 4;

/** The process has ended, or does not do what it should. */
export class EgressLost extends Error {}

/** What a network is told by the process. */
export interface NetworkListener {
  onListening(refused: { port: number; error: number } | null): void;
  onDenied(denial: Denial): void;
  onUsage(usage: NetworkUsage): void;
}

/** The egress process (egress/main.ts), as the server holds it. Disposing of it ends it and waits for that. */
export class EgressProcess implements AsyncDisposable {
  readonly #process: ConfinedProcess<EgressEvent>;
  readonly #socket = `codebeaker-egress-${randomBytes(8).toString('hex')}`;
  readonly #key = randomBytes(24).toString('hex');
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #networks = new Map<number, NetworkListener>();
  /** That have had no connection. */
  readonly #new = new Set<number>();
  readonly #onLost: (why: string, totals: Totals) => void;
  #last = 0;
  #dead = false;
  #totals = NO_TOTALS;
  #asked: PromiseWithResolvers<void> | null = null;
  /** Since it last told anything, how often it was asked. */
  #silent = 0;
  #beat: NodeJS.Timeout | undefined;

  private constructor(
    setup: Omit<EgressSetup, 'socket' | 'key'>,
    onLost: (why: string, totals: Totals) => void,
  ) {
    this.#onLost = onLost;
    const whole: EgressSetup = { ...setup, socket: this.#socket, key: this.#key };
    this.#process = new ConfinedProcess<EgressEvent>({
      main: MAIN,
      setup: whole,
      cwd: '/',
      env: { UV_THREADPOOL_SIZE: LOOK_UPS },
      maxLineLength: MAX_LINE_LENGTH,
      onEvent: event => this.#onEvent(event),
      onLost: why => this.#lose(why),
    });
    this.#ready.promise.catch(() => {});
  }

  /** `onLost`: once, when it has ended, whoever ended it, or does not answer any more. @throws {EgressLost} */
  static async start(
    setup: Omit<EgressSetup, 'socket' | 'key'>,
    onLost: (why: string, totals: Totals) => void = () => {},
    beatMs = BEAT_MS,
  ): Promise<EgressProcess> {
    const made = new EgressProcess(setup, onLost);
    const timer = setTimeout(() => made.#lose('it did not start in time'), START_MS);
    try {
      await made.#ready.promise;
      made.#beat = setInterval(() => made.#look(), beatMs).unref();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when it is dead. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** A network, whose listener is told of it until it is ended. */
  open(listener: NetworkListener): number {
    this.#networks.set(++this.#last, listener);
    this.#new.add(this.#last);
    return this.#last;
  }

  /** Its connection, on which the relay's frames go, instead of one that it had; `bytes`: of the first one, what may pass both ways together. */
  carry(network: number, policy: PolicyTexts, bytes: number, outward = true): Socket {
    const first = this.#new.delete(network);
    return this.#connect({ key: this.#key, network, first, policy, bytes, outward });
  }

  end(network: number): void {
    if (!this.#networks.delete(network)) return;
    // Of one that has had no connection there is nothing to end.
    if (!this.#new.delete(network)) this.ask({ op: 'end', network });
  }

  /** What all networks have done since it began; what is known of that, where it does not answer. Never rejects. */
  async totals(): Promise<Totals> {
    if (this.#dead) return this.#totals;
    if (!this.#asked) {
      this.#asked = Promise.withResolvers();
      this.ask({ op: 'totals' });
    }
    await Promise.race([this.#asked.promise, sleep(TOTALS_MS, undefined, { ref: false })]);
    return this.#totals;
  }

  /** A connection to a port inside: a byte comes first when something listens there (CONNECTED), or it is closed. */
  connect(network: number, port: number): Socket {
    return this.#connect({ key: this.#key, network, port });
  }

  /** The same for one HTTP exchange, as frames (egress/port-frames.ts). */
  request(network: number, port: number, request: PortRequest): Socket {
    return this.#connect({ key: this.#key, network, port, request });
  }

  ask(request: EgressRequest): void {
    this.#process.send(request);
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    return this.#process[Symbol.asyncDispose]();
  }

  #connect(greeting: NetworkGreeting | PortGreeting): Socket {
    const socket = connect({ path: `\0${this.#socket}`, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(`${JSON.stringify(greeting)}\n`);
    return socket;
  }

  /** One that hangs or was stopped takes connections and carries none: nothing but its silence tells. */
  #look(): void {
    if (this.#silent++ < MOST_SILENT) return this.ask({ op: 'totals' });
    void this[Symbol.asyncDispose]();
    this.#lose('it does not answer');
  }

  #onEvent(event: EgressEvent): void {
    this.#silent = 0;
    if (event.event === 'ready') return this.#ready.resolve();
    if (event.event === 'totals') {
      this.#totals = event.totals;
      return this.#answered();
    }
    const listener = this.#networks.get(event.network);
    if (event.event === 'listening') listener?.onListening(event.refused);
    else if (event.event === 'denied') listener?.onDenied(event.denial);
    else if (event.event === 'usage') listener?.onUsage(event.usage);
    else throw new Error('an unknown event');
  }

  #answered(): void {
    this.#asked?.resolve();
    this.#asked = null;
  }

  #lose(why: string): void {
    if (this.#dead) return;
    this.#dead = true;
    clearInterval(this.#beat);
    this.#answered();
    this.#ended.resolve();
    this.#onLost(why, this.#totals);
    this.#ready.reject(new EgressLost(`the egress process: ${why}`));
  }
}
