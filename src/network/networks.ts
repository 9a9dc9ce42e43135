import type { CallLog } from '../call-log.ts';
import type { Ceiling, PolicyTexts } from '../network-rules/policy.ts';
import type { Sandbox } from '../sandbox.ts';
import { DENIAL_REASONS, type Denial, NO_TOTALS, type Totals } from './egress/protocol.ts';
import { EgressLost, EgressProcess } from './egress-process.ts';
import { SandboxNetwork } from './sandbox-network.ts';

const NO_CEILING: Ceiling = { allow: [], deny: [], private: [] };

export interface NetworksSettings {
  /** Null: programs have no network. */
  readonly ceiling: Ceiling | null;
  /** See EgressSetup (egress/protocol.ts). */
  readonly resolvers: readonly string[];
  readonly proxy: string | null;
  readonly certificates: string | null;
  readonly bytesPerSecond: number;
  /** That may pass into and out of one sandbox. */
  readonly bytes: number;
}

/**
 * Networks of sandboxes, under the operator's rules and clients'. This folder knows sandboxes and no sessions; its folder `egress` is a process
 * of its own that reads what programs say and connects to what they may reach, and no byte of theirs is read by the server.
 */
export class Networks implements AsyncDisposable {
  readonly ceiling: Ceiling;
  /** Programs may have one. */
  readonly forPrograms: Networks | null;
  /** Names are looked up elsewhere: addresses can't be judged. */
  readonly proxied: boolean;
  readonly #settings: NetworksSettings;
  /** User of the process; null where the server is no root. */
  readonly #uid: number | null;
  readonly #log: CallLog;
  readonly #onLost: () => void;
  #process: Promise<EgressProcess> | null = null;
  /** Of processes that have ended. */
  #before: Totals = NO_TOTALS;
  #closed = false;

  constructor(
    settings: NetworksSettings,
    { uid, log, onLost }: { uid: number | null; log: CallLog; onLost: () => void },
  ) {
    this.#settings = settings;
    this.ceiling = settings.ceiling ?? NO_CEILING;
    this.forPrograms = settings.ceiling && this;
    this.proxied = settings.proxy !== null;
    this.#uid = uid;
    this.#log = log;
    this.#onLost = onLost;
  }

  /** Gives a sandbox its network, before its programs begin. @throws {PortHeld | SandboxLost | EgressLost} */
  open(
    sandbox: Sandbox,
    policy: PolicyTexts,
    { onDenied, log }: { onDenied: (denial: Denial) => void; log: CallLog },
  ): Promise<SandboxNetwork> {
    const { bytes } = this.#settings;
    return SandboxNetwork.open({ sandbox, egress: () => this.#running(), policy, bytes, onDenied, log });
  }

  /** Carries connections into a sandbox and none out of it: programs see nothing of it but that it runs. @throws {SandboxLost | EgressLost} */
  openInward(sandbox: Sandbox, log: CallLog): Promise<SandboxNetwork> {
    const egress = () => this.#running();
    const nothing = { policy: { allow: [], deny: [] }, bytes: 0, onDenied() {}, outward: false };
    return SandboxNetwork.open({ sandbox, egress, log, ...nothing });
  }

  /** What all networks have done, as far as is known of processes that have died. Never rejects. */
  async totals(): Promise<Totals> {
    const running = await this.#process?.catch(() => null);
    const current = (await running?.totals()) ?? NO_TOTALS;
    return running?.dead ? this.#before : sumOf(this.#before, current);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const running = await this.#process?.catch(() => null);
    await running?.[Symbol.asyncDispose]();
  }

  /** The process, started when it is first needed, and again after it has ended. */
  async #running(): Promise<EgressProcess> {
    const before = this.#process;
    const running = await before?.catch(() => null);
    if (running && !running.dead) return running;
    if (this.#closed) throw new EgressLost('the server is shutting down');
    // Of several who wait, one starts it.
    if (this.#process === before) this.#process = this.#start();
    return this.#process!;
  }

  async #start(): Promise<EgressProcess> {
    const { resolvers, proxy, certificates, bytesPerSecond } = this.#settings;
    const setup = { uid: this.#uid, ceiling: this.ceiling, resolvers, proxy, certificates, bytesPerSecond };
    const started = await EgressProcess.start(setup, (why, totals) => {
      if (this.#closed) return;
      this.#before = sumOf(this.#before, totals);
      this.#log.warn({ reason: why }, 'the egress process has ended; another takes its place');
      this.#onLost();
    });
    this.#log.debug({ pid: started.pid }, 'the egress process began');
    return started;
  }
}

function sumOf(one: Totals, other: Totals): Totals {
  const denied = DENIAL_REASONS.map(reason => [reason, one.denied[reason] + other.denied[reason]]);
  return {
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    connections: one.connections + other.connections,
    lookUps: one.lookUps + other.lookUps,
    denied: Object.fromEntries(denied),
  };
}
