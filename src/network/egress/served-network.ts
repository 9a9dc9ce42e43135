import type { Policy } from '../../network-rules/policy.ts';
import type { ConnectedTo, RelayStream, RelayStreams } from '../../wire/relay-streams.ts';
import { answerQuestion } from './answer-question.ts';
import { Connection, type Surroundings } from './connection.ts';
import type { Counted } from './counted.ts';
import type { Dialer } from './dialer.ts';
import { FakeNames } from './fake-names.ts';
import { Pace } from './pace.ts';
import type { Places } from './places.ts';
import type { Denial, NetworkUsage } from './protocol.ts';

/** Connections that may begin: so many a second, and at once. */
const CONNECTIONS = { perSecond: 32, burst: 128 };
/** Questions for names, two for each name that a program looks up; others are lost, as datagrams may be. */
const QUESTIONS = { perSecond: 256, burst: 1024 };
/** That wait to begin, are carried, or end. */
const MAX_OPEN = 256;
/** Denials that are told in a second; all are counted. */
const TOLD_PER_SECOND = 50;
/** Bytes of what connections begin with that are looked at, again where they come in pieces: a tenth of this process for one network. */
const LOOKED_AT = { perSecond: 4 * 1024 * 1024, burst: 4 * 1024 * 1024 };
/** A burst of bytes, of what a second has. */
const BURST = 4;

export interface ServedNetworkParts {
  readonly dialer: Dialer;
  readonly places: Places;
  readonly policy: Policy;
  readonly bytesPerSecond: number;
  /** Bytes that may pass, both ways together. */
  readonly bytes: number;
  /** Of all networks. */
  readonly counted: Counted;
  readonly onDenied: (denial: Denial) => void;
}

/** The network of one sandbox: what its programs ask for and connect to, under its rules. */
export class ServedNetwork implements Surroundings {
  readonly names = new FakeNames();
  readonly dialer: Dialer;
  policy: Policy;
  #usage: NetworkUsage = { bytesIn: 0, bytesOut: 0, connections: 0, denied: 0 };
  #bytes: number;
  readonly #bytePace: Pace;
  readonly #connectionPace = new Pace(CONNECTIONS);
  readonly #questionPace = new Pace(QUESTIONS);
  readonly #lookPace = new Pace(LOOKED_AT);
  readonly #tellPace = new Pace({ perSecond: TOLD_PER_SECOND, burst: TOLD_PER_SECOND });
  readonly #places: Places;
  readonly #open = new Set<Connection>();
  readonly #counted: Counted;
  readonly #onDenied: (denial: Denial) => void;

  constructor({ dialer, places, policy, bytesPerSecond, bytes, counted, onDenied }: ServedNetworkParts) {
    this.#counted = counted;
    this.dialer = dialer;
    this.#places = places;
    this.policy = policy;
    this.#bytes = bytes;
    this.#bytePace = new Pace({ perSecond: bytesPerSecond, burst: bytesPerSecond / BURST });
    this.#onDenied = onDenied;
  }

  get usage(): NetworkUsage {
    return this.#usage;
  }

  /** What is open and not allowed any more ends. */
  change(policy: Policy): void {
    this.policy = policy;
    for (const connection of this.#open) connection.judgeAgain();
  }

  onQuestion(relay: RelayStreams, number: number, bytes: Uint8Array): void {
    if (!this.#questionPace.takeOne()) return;
    const answered = answerQuestion(bytes, this.policy, this.names);
    if (!answered) return;
    if (answered.denied !== null)
      this.deny({ name: answered.denied, address: null, port: null, reason: 'not_allowed' });
    relay.answer(number, answered.bytes);
  }

  async onStream(stream: RelayStream, to: ConnectedTo): Promise<void> {
    if (this.#open.size >= MAX_OPEN || !this.#places.take(this.#open.size)) return void stream.destroy();
    const connection = new Connection(this, stream, to);
    this.#open.add(connection);
    try {
      const turn = this.#connectionPace.take(1);
      if (turn) await turn;
      // The program may have given up meanwhile.
      if (!stream.destroyed) await connection.run();
    } finally {
      this.#open.delete(connection);
      this.#places.give();
    }
  }

  looked(bytes: number): Promise<void> | undefined {
    return this.#lookPace.take(bytes);
  }

  deny(denial: Denial): void {
    this.#count('denied', 1);
    this.#counted.deny(denial);
    if (this.#tellPace.takeOne()) this.#onDenied(denial);
  }

  connected(): void {
    this.#count('connections', 1);
    this.#counted.connected();
  }

  pass(direction: 'bytesIn' | 'bytesOut', bytes: number): Promise<void> | undefined | null {
    const { bytesIn, bytesOut } = this.#usage;
    if (bytesIn + bytesOut + bytes > this.#bytes) return null;
    this.#count(direction, bytes);
    this.#counted.pass(direction, bytes);
    return this.#bytePace.take(bytes);
  }

  #count(what: keyof NetworkUsage, more: number): void {
    this.#usage = { ...this.#usage, [what]: this.#usage[what] + more };
  }
}
