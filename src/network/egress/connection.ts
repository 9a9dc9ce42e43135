import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress, parseAddress } from '../../network-rules/address.ts';
import type { Policy } from '../../network-rules/policy.ts';
import { drained } from '../../wire/drained.ts';
import type { ConnectedTo, RelayStream } from '../../wire/relay-streams.ts';
import { type Dialer, NotDialled } from './dialer.ts';
import type { FakeNames } from './fake-names.ts';
import { FirstBytes, type Verdict } from './first-bytes.ts';
import type { Denial, DenialReason } from './protocol.ts';
import { RequestBody } from './request-body.ts';

/** For what a connection to a web server begins with, milliseconds. */
const FIRST_MS = 10_000;
/** As long a text that could become HTTP is held back where other protocols are spoken. */
const HELD_MS = 300;
const NOTHING = new Uint8Array(0);
const SWITCHED = Buffer.from('HTTP/1.1 101');

type Passed = Extract<Verdict, { kind: 'passes' | 'request' }>;

/** What a connection knows of the sandbox's network. */
export interface Surroundings {
  readonly names: FakeNames;
  readonly dialer: Dialer;
  /** As it is now. */
  readonly policy: Policy;
  deny(denial: Denial): void;
  connected(): void;
  /** Counts bytes that were looked at to judge a connection; resolves when more may be. */
  looked(bytes: number): Promise<void> | undefined;
  /** Counts bytes; resolves when they may pass. Null: no more may. */
  pass(direction: 'bytesIn' | 'bytesOut', bytes: number): Promise<void> | undefined | null;
}

/** One connection of a program's: judged, dialled, and carried until either side ends it. What is refused is reset. */
export class Connection {
  readonly #network: Surroundings;
  readonly #stream: RelayStream;
  readonly #port: number;
  /** Null where a program connects to an address. */
  readonly #name: string | null;
  readonly #address: Uint8Array;
  /** What the program sends. */
  readonly #pieces: AsyncIterator<Buffer, undefined>;
  #upstream: Socket | null = null;
  /** The server speaks another protocol now, as it was asked to. */
  #switched = Promise.withResolvers<boolean>();

  constructor(network: Surroundings, stream: RelayStream, { port, address }: ConnectedTo) {
    this.#network = network;
    this.#stream = stream;
    this.#pieces = stream[Symbol.asyncIterator]();
    this.#port = port;
    this.#name = network.names.nameOf(address) ?? null;
    this.#address = Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
    // Where the program's half has ended nothing else is waited for but the server, which may never say or take anything.
    stream.once('close', () => {
      if (!stream.readableEnded || !stream.writableFinished) this.#end();
    });
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    try {
      if (!this.#allowed) return this.#deny('not_allowed');
      if (this.#name === null) await this.#carry(await this.#dial(), null);
      else await this.#runByName(this.#name);
    } catch (error) {
      if (error instanceof NotDialled) this.#deny(error.reason);
    } finally {
      this.#end();
    }
  }

  /** After a change of the rules. */
  judgeAgain(): void {
    if (this.#stream.destroyed || this.#allowed) return;
    this.#deny('not_allowed');
    this.#end();
  }

  get #allowed(): boolean {
    const { policy, dialer } = this.#network;
    const remote = dialer.judges ? parseAddress(this.#upstream?.remoteAddress ?? '') : null;
    if (remote && !policy.mayDial(remote, this.#port)) return false;
    if (this.#name !== null) return policy.allowsName(this.#name, this.#port);
    return policy.allowsAddress(this.#address, this.#port);
  }

  async #runByName(name: string): Promise<void> {
    const first = new FirstBytes(name, this.#port);
    if (!first.strict) {
      const upstream = await this.#dial();
      const forth = this.#judge(first, upstream).then(verdict => verdict && this.#forth(upstream, verdict));
      // Some servers speak first.
      return void (await Promise.all([this.#back(upstream), forth]));
    }
    const timer = setTimeout(() => this.#stream.destroy(), FIRST_MS);
    const verdict = await this.#judge(first).finally(() => clearTimeout(timer));
    if (verdict) await this.#carry(await this.#dial(), verdict);
  }

  /** Null: it is refused, or over before it began. `upstream`: it is there already, and may have what is of no protocol that is known. */
  async #judge(first: FirstBytes, upstream: Socket | null = null): Promise<Passed | null> {
    for (let next = this.#pieces.next(); ; ) {
      const piece = await (first.holds ? Promise.race([next, sleep(HELD_MS, null, { ref: false })]) : next);
      if (piece?.done) return first.strict ? null : { kind: 'passes', bytes: NOTHING };
      const { work } = first;
      const verdict = piece ? first.add(piece.value) : ({ kind: 'more', bytes: first.release() } as const);
      const turn = this.#network.looked(first.work - work);
      if (turn) await turn;
      if (verdict.kind === 'passes' || verdict.kind === 'request') return verdict;
      if (verdict.kind === 'refused') {
        this.#deny(verdict.reason);
        this.#end();
        return null;
      }
      if (upstream && !(await this.#pass('bytesOut', verdict.bytes, upstream))) return null;
      if (piece) next = this.#pieces.next();
    }
  }

  async #dial(): Promise<Socket> {
    const { dialer, policy } = this.#network;
    const dialled =
      this.#name === null
        ? dialer.dialAddress(this.#address, this.#port, policy)
        : dialer.dialName(this.#name, this.#port, policy);
    const upstream = await dialled;
    upstream.on('error', () => {});
    this.#upstream = upstream;
    this.#network.connected();
    // Meanwhile the program may have given up, or the rules have changed.
    if (this.#stream.destroyed) upstream.destroy();
    return upstream;
  }

  async #carry(upstream: Socket, verdict: Passed | null): Promise<void> {
    await Promise.all([
      this.#back(upstream),
      this.#forth(upstream, verdict ?? { kind: 'passes', bytes: NOTHING }),
    ]);
  }

  async #back(upstream: Socket): Promise<void> {
    let seen: Buffer = Buffer.alloc(0);
    for await (const bytes of upstream as AsyncIterable<Buffer>) {
      if (seen.length < SWITCHED.length) {
        seen = Buffer.concat([seen, bytes]).subarray(0, SWITCHED.length);
        if (seen.length === SWITCHED.length) this.#switched.resolve(seen.equals(SWITCHED));
      }
      if (!(await this.#pass('bytesIn', bytes, this.#stream))) return;
    }
    this.#switched.resolve(false);
    await ended(this.#stream);
  }

  async #forth(upstream: Socket, verdict: Passed): Promise<void> {
    if (verdict.kind === 'request') return this.#request(upstream, verdict);
    if (!(await this.#pass('bytesOut', verdict.bytes, upstream))) return;
    for (let next = await this.#pieces.next(); !next.done; next = await this.#pieces.next())
      if (!(await this.#pass('bytesOut', next.value, upstream))) return;
    await ended(upstream);
  }

  /** One request and its body; what follows has been judged by nobody and goes nowhere, unless the server speaks another protocol. */
  async #request(upstream: Socket, request: Extract<Passed, { kind: 'request' }>): Promise<void> {
    const body = new RequestBody(request.body);
    const sends = async (bytes: Uint8Array) => {
      const taken = body.over ? 0 : body.take(bytes);
      if (!(await this.#pass('bytesOut', bytes.subarray(0, taken), upstream))) return false;
      if (taken === bytes.length || !request.upgrade) return true;
      return (await this.#switched.promise) && this.#pass('bytesOut', bytes.subarray(taken), upstream);
    };
    if (!(await this.#pass('bytesOut', request.head, upstream)) || !(await sends(request.rest))) return;
    for (let next = await this.#pieces.next(); !next.done; next = await this.#pieces.next())
      if (!(await sends(next.value))) return;
    await ended(upstream);
  }

  /** False: it is over. */
  async #pass(direction: 'bytesIn' | 'bytesOut', bytes: Uint8Array, to: Writable): Promise<boolean> {
    if (bytes.length === 0) return !to.destroyed;
    const turn = this.#network.pass(direction, bytes.length);
    if (turn === null) {
      this.#deny('byte_limit');
      this.#end();
      return false;
    }
    if (turn) await turn;
    if (to.destroyed) return false;
    if (!to.write(bytes)) await drained(to);
    return !to.destroyed;
  }

  #deny(reason: DenialReason): void {
    const address = this.#name === null ? formatAddress(this.#address) : null;
    this.#network.deny({ name: this.#name, address, port: this.#port, reason });
  }

  #end(): void {
    this.#switched.resolve(false);
    if (!this.#upstream?.writableFinished || !this.#upstream.readableEnded) this.#upstream?.destroy();
    if (!this.#stream.writableFinished || !this.#stream.readableEnded) this.#stream.destroy();
  }
}

/** Resolves when all has been passed on, or nothing will be. */
function ended(to: Writable): Promise<void> {
  return new Promise(resolve => to.end(() => resolve()));
}
