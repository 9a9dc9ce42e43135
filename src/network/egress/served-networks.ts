import type { Socket } from 'node:net';
import { type Policy, type PolicyTexts, portsOf } from '../../network-rules/policy.ts';
import { parseRule } from '../../network-rules/rule.ts';
import { isSameSecret } from '../../same-secret.ts';
import { guarded } from '../../wire/guarded.ts';
import { RelayStreams } from '../../wire/relay-streams.ts';
import type { Counted } from './counted.ts';
import type { Dialer } from './dialer.ts';
import { Places } from './places.ts';
import { exchange } from './port-exchange.ts';
import {
  CONNECTED,
  type EgressEvent,
  type EgressRequest,
  MAX_LINE_LENGTH,
  type NetworkGreeting,
  type PortGreeting,
} from './protocol.ts';
import { ServedNetwork } from './served-network.ts';

/** The relay's word for the port where names are asked for. */
const QUESTIONS = 0;
const GREETING_MS = 10_000;

interface Carried {
  readonly socket: Socket;
  readonly relay: RelayStreams;
  ports: ReadonlySet<number>;
}

interface OpenNetwork {
  readonly network: ServedNetwork;
  /** Null while the sandbox has no relay. */
  carried: Carried | null;
  /** Connections to what listens inside. */
  inward: number;
}

/** The networks of all sandboxes, each until the server ends it, whatever becomes of its relay: what it has used of its bounds stays used. */
export class ServedNetworks {
  readonly #key: string;
  readonly #dialer: () => Dialer;
  readonly #places = new Places();
  readonly #policyOf: (texts: PolicyTexts) => Policy;
  readonly #bytesPerSecond: number;
  readonly #send: (event: EgressEvent) => void;
  readonly #networks = new Map<number, OpenNetwork>();
  /** That were ended before their connection came, which is on its way still or never was. */
  readonly #gone = new Set<number>();
  readonly #counted: Counted;

  constructor(parts: {
    key: string;
    /** One for each network. */
    dialer: () => Dialer;
    counted: Counted;
    policyOf: (texts: PolicyTexts) => Policy;
    bytesPerSecond: number;
    send: (event: EgressEvent) => void;
  }) {
    this.#key = parts.key;
    this.#dialer = parts.dialer;
    this.#counted = parts.counted;
    this.#policyOf = parts.policyOf;
    this.#bytesPerSecond = parts.bytesPerSecond;
    this.#send = parts.send;
  }

  handle(request: EgressRequest): void {
    if (request.op === 'totals') return this.#send({ event: 'totals', totals: this.#counted.totals });
    const { network } = request;
    const open = this.#networks.get(network);
    if (request.op === 'end') {
      if (!this.#networks.delete(network)) this.#gone.add(network);
      open?.network.dialer[Symbol.dispose]();
      return void open?.carried?.socket.destroy();
    }
    // Its connection is on its way still.
    if (!open) return;
    if (request.op === 'usage') return this.#send({ event: 'usage', network, usage: open.network.usage });
    open.network.change(this.#policyOf(request.policy));
    if (open.carried) void this.#listen(network, open.carried, request.policy);
  }

  /** Reads who connects, on one line. */
  greet(socket: Socket): void {
    let text = Buffer.alloc(0);
    const refuse = () => socket.destroy();
    const deadline = setTimeout(refuse, GREETING_MS);
    socket.on('error', () => {});
    socket.once('close', () => clearTimeout(deadline));
    const read = guarded((bytes: Buffer) => {
      text = Buffer.concat([text, bytes]);
      const end = text.indexOf(10);
      if (end < 0 && text.length <= MAX_LINE_LENGTH) return;
      socket.off('data', read);
      socket.pause();
      clearTimeout(deadline);
      const greeting = JSON.parse(text.toString('utf8', 0, Math.max(end, 0))) as
        | NetworkGreeting
        | PortGreeting;
      if (!isSameSecret(greeting.key, this.#key)) return refuse();
      if (end + 1 < text.length) socket.unshift(text.subarray(end + 1));
      if ('port' in greeting) this.#connect(socket, greeting);
      else this.#open(socket, greeting);
    }, refuse);
    socket.on('data', read);
  }

  #open(socket: Socket, { network: number, first, policy, bytes, outward }: NetworkGreeting): void {
    const known = this.#networks.get(number);
    // It was ended meanwhile.
    if (this.#gone.delete(number) || (!known && !first)) return void socket.destroy();
    const open = known ?? { network: this.#made(number, policy, bytes), carried: null, inward: 0 };
    const { network } = open;
    open.carried?.socket.destroy();
    network.change(this.#policyOf(policy));
    const relay: RelayStreams = new RelayStreams({
      input: socket,
      output: socket,
      onStream: (stream, to) => void network.onStream(stream, to),
      onQuestion: (question, asked) => network.onQuestion(relay, question, asked),
      onBroken: () => {
        socket.destroy();
        if (open.carried === carried) open.carried = null;
      },
    });
    const carried: Carried = { socket, relay, ports: new Set<number>() };
    open.carried = carried;
    this.#networks.set(number, open);
    socket.resume();
    void this.#listen(number, carried, policy, outward ? [QUESTIONS] : []);
  }

  #made(number: number, policy: PolicyTexts, bytes: number): ServedNetwork {
    return new ServedNetwork({
      dialer: this.#dialer(),
      places: this.#places,
      policy: this.#policyOf(policy),
      bytesPerSecond: this.#bytesPerSecond,
      bytes,
      counted: this.#counted,
      onDenied: denial => this.#send({ event: 'denied', network: number, denial }),
    });
  }

  async #listen(
    network: number,
    open: Carried,
    policy: PolicyTexts,
    more: readonly number[] = [],
  ): Promise<void> {
    const ports = new Set(portsOf(policy.allow.map(parseRule)));
    for (const port of open.ports) if (!ports.has(port)) open.relay.unlisten(port);
    const added = [...more, ...[...ports].filter(port => !open.ports.has(port))];
    open.ports = ports;
    try {
      const errors = await Promise.all(added.map(port => open.relay.listen(port)));
      const at = errors.findIndex(error => error !== 0);
      const refused = at < 0 ? null : { port: added[at]!, error: errors[at]! };
      this.#send({ event: 'listening', network, refused });
    } catch {
      // It has gone, which the server sees by itself.
    }
  }

  /** Carries one connection to what listens inside. */
  #connect(socket: Socket, { network, port, request }: PortGreeting): void {
    const open = this.#networks.get(network);
    if (!open?.carried || !this.#places.take(open.inward)) return void socket.destroy();
    open.inward++;
    socket.once('close', () => {
      open.inward--;
      this.#places.give();
    });
    const stream = open.carried.relay.connect(port);
    if (request) return void exchange(socket, stream, request);
    stream.once('connect', () => {
      socket.write(Uint8Array.of(CONNECTED));
      socket.pipe(stream).pipe(socket);
    });
    stream.once('close', () => (stream.readableEnded ? socket.end() : socket.destroy()));
    socket.once('close', () => stream.destroy());
  }
}
