import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLog } from '../call-log.ts';
import { type PolicyTexts, portsOf } from '../network-rules/policy.ts';
import { parseRule } from '../network-rules/rule.ts';
import { type Process, type Sandbox, SandboxLost, WORKSPACE } from '../sandbox.ts';
import { KERNELS } from '../toolchains/toolchain.ts';
import { drained } from '../wire/drained.ts';
import { release } from '../wire/release.ts';
import type { PortRequest } from './egress/port-frames.ts';
import type { Denial, NetworkUsage } from './egress/protocol.ts';
import type { EgressProcess, NetworkListener } from './egress-process.ts';

const AGENT = `${KERNELS}/agent`;
/** Until it listens, and until it has told its usage, milliseconds. */
const LISTEN_MS = 10_000;
const USAGE_MS = 1000;
/** Between two starts of what was killed, milliseconds; twice as long each time that it does not last. */
const PAUSE_MS = { first: 20, most: 5000, lasts: 10_000 };
/** Where names are asked for. */
const QUESTIONS = 53;
/** EADDRINUSE */
const IN_USE = 98;
const NOTHING: NetworkUsage = { bytesIn: 0, bytesOut: 0, connections: 0, denied: 0 };

/** It can't listen where the rules want it to. */
export class PortHeld extends Error {
  readonly port: number;
  constructor(port: number, error: number) {
    const why = error === IN_USE ? 'a program of the sandbox holds it' : `error ${error}`;
    super(`port ${port} can't be listened on: ${why}`);
    this.port = port;
  }
}

interface Run {
  readonly socket: Socket;
  readonly relay: Process;
  readonly over: Promise<void>;
}

/**
 * The network of one sandbox: a relay inside, which the sandbox's programs can end as they can end each other, and its connection to the egress
 * process. Whichever of them ends, both are started again, with the same rules. Nothing that passes is looked at here.
 */
export class SandboxNetwork implements Disposable {
  readonly #sandbox: Sandbox;
  readonly #egress: () => Promise<EgressProcess>;
  readonly #onDenied: (denial: Denial) => void;
  readonly #outward: boolean;
  readonly #log: CallLog;
  #policy: PolicyTexts;
  /** Bytes that may still pass. */
  #bytes: number;
  /** What the process calls it; another process knows nothing of it. */
  #known: { readonly egress: EgressProcess; readonly network: number } | null = null;
  #run: Run | null = null;
  /** Of processes that have ended. */
  #before = NOTHING;
  #current = NOTHING;
  #listening: PromiseWithResolvers<{ port: number; error: number } | null> | null = null;
  #asked: PromiseWithResolvers<void> | null = null;
  #changing: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(parts: NetworkParts) {
    this.#sandbox = parts.sandbox;
    this.#egress = parts.egress;
    this.#policy = parts.policy;
    this.#bytes = parts.bytes;
    this.#onDenied = parts.onDenied;
    this.#outward = parts.outward ?? true;
    this.#log = parts.log;
  }

  /** Resolves when programs can be started. @throws {PortHeld | SandboxLost | EgressLost} */
  static async open(parts: NetworkParts): Promise<SandboxNetwork> {
    const network = new SandboxNetwork(parts);
    try {
      await network.#start();
      void network.#keep();
      return network;
    } catch (error) {
      network[Symbol.dispose]();
      throw error;
    }
  }

  get policy(): PolicyTexts {
    return this.#policy;
  }

  /** What is open and not allowed any more ends. @throws {PortHeld} and the rules are what they were */
  update(policy: PolicyTexts): Promise<void> {
    const changed = this.#changing.then(() => this.#update(policy));
    this.#changing = changed.catch(() => {});
    return changed;
  }

  /** What has passed so far. Never rejects. */
  async usage(): Promise<NetworkUsage> {
    const known = this.#known;
    if (known && !known.egress.dead) {
      this.#asked ??= Promise.withResolvers();
      known.egress.ask({ op: 'usage', network: known.network });
      await Promise.race([
        this.#asked.promise,
        known.egress.ended,
        sleep(USAGE_MS, undefined, { ref: false }),
      ]);
    }
    return sum(this.#before, this.#current);
  }

  /** Ports inside that it listens on itself. */
  get ports(): number[] {
    return this.#outward ? [QUESTIONS, ...portsOf(this.#policy.allow.map(parseRule))] : [];
  }

  /** A connection to a port inside, for frames of one HTTP exchange (egress/port-frames.ts); null while there is none to be had. */
  request(port: number, request: PortRequest): Socket | null {
    return this.#known?.egress.request(this.#known.network, port, request) ?? null;
  }

  /** Ends what is open. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.#log.debug(sum(this.#before, this.#current), 'a network ended');
    this.#closed = true;
    this.#known?.egress.end(this.#known.network);
    this.#endRun();
  }

  #endRun(): void {
    this.#run?.socket.destroy();
    this.#run?.relay.signal('SIGKILL');
  }

  async #update(policy: PolicyTexts): Promise<void> {
    const before = this.#policy;
    this.#policy = policy;
    const [run, known] = [this.#run, this.#known];
    // The next one begins with these rules.
    if (!run || !known) return;
    known.egress.ask({ op: 'policy', network: known.network, policy });
    const refused = await this.#listens(run.over);
    if (!refused) return;
    this.#policy = before;
    known.egress.ask({ op: 'policy', network: known.network, policy: before });
    await this.#listens(run.over);
    throw new PortHeld(refused.port, refused.error);
  }

  async #listens(over: Promise<void>): Promise<{ port: number; error: number } | null> {
    this.#listening = Promise.withResolvers();
    const late = sleep(LISTEN_MS, null, { ref: false });
    const refused = await Promise.race([this.#listening.promise, over.then(() => null), late]);
    this.#listening = null;
    return refused;
  }

  async #start(): Promise<void> {
    const egress = await this.#egress();
    const relay = await this.#sandbox.spawn({
      argv: [AGENT, 'relay', '0'],
      cwd: WORKSPACE,
      env: {},
      stdin: 'none',
      control: true,
    });
    const listener: NetworkListener = {
      onListening: refused => this.#listening?.resolve(refused),
      onDenied: this.#onDenied,
      onUsage: usage => {
        this.#current = usage;
        this.#asked?.resolve();
        this.#asked = null;
      },
    };
    if (this.#known?.egress !== egress) {
      this.#account();
      this.#known = { egress, network: egress.open(listener) };
    }
    const socket = egress.carry(this.#known.network, this.#policy, this.#bytes, this.#outward);
    const over = Promise.all([fromRelay(relay, socket), toRelay(socket, relay)]).then(() => {});
    this.#run = { socket, relay, over };
    if (this.#closed) this[Symbol.dispose]();
    const refused = await this.#listens(over);
    if (refused) throw new PortHeld(refused.port, refused.error);
  }

  /** Starts what has ended again, until it is closed or the sandbox is gone. */
  async #keep(): Promise<void> {
    for (let pause = PAUSE_MS.first; !this.#closed; ) {
      const beganAt = performance.now();
      await this.#run?.over;
      this.#run = null;
      if (this.#closed) return;
      this.#log.info({ lastedMs: Math.round(performance.now() - beganAt) }, 'a network begins again');
      pause =
        performance.now() - beganAt > PAUSE_MS.lasts ? PAUSE_MS.first : Math.min(2 * pause, PAUSE_MS.most);
      await sleep(pause, undefined, { ref: false });
      try {
        if (!this.#closed) await this.#start();
      } catch (error) {
        this.#endRun();
        this.#log.debug({ err: error }, 'a network did not begin again');
        // Where the sandbox has gone there is nothing to keep; anything else may pass.
        if (error instanceof SandboxLost) return;
      }
    }
  }

  /** What it had used with a process that has ended, as far as that told it. */
  #account(): void {
    this.#bytes = Math.max(0, this.#bytes - this.#current.bytesIn - this.#current.bytesOut);
    this.#before = sum(this.#before, this.#current);
    this.#current = NOTHING;
    this.#asked?.resolve();
    this.#asked = null;
  }
}

export interface NetworkParts {
  readonly sandbox: Sandbox;
  /** The process that is there, or a new one. */
  readonly egress: () => Promise<EgressProcess>;
  readonly policy: PolicyTexts;
  /** That may pass, both ways together. */
  readonly bytes: number;
  readonly onDenied: (denial: Denial) => void;
  readonly log: CallLog;
  /** See NetworkGreeting (egress/protocol.ts); by default it is. */
  readonly outward?: boolean;
}

function sum(one: NetworkUsage, other: NetworkUsage): NetworkUsage {
  return {
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    connections: one.connections + other.connections,
    denied: one.denied + other.denied,
  };
}

/** Resolves when the relay has ended. */
async function fromRelay(relay: Process, socket: Socket): Promise<void> {
  try {
    for await (const event of relay.events)
      if (event.type === 'control' && !socket.write(event.data, () => release(event.data)))
        await drained(socket);
  } catch {
    // With its sandbox.
  } finally {
    socket.destroy();
  }
}

/** Resolves when the connection has ended. */
async function toRelay(socket: Socket, relay: Process): Promise<void> {
  try {
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      await relay.sendControl(bytes);
      release(bytes);
    }
  } catch {
    // The egress process has ended.
  } finally {
    relay.signal('SIGKILL');
  }
}
