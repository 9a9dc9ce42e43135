import type { RunResult } from '../../commands/command.ts';
import { ServiceError } from '../../errors.ts';
import type { Denial, NetworkUsage } from '../../network/egress/protocol.ts';
import { EgressLost } from '../../network/egress-process.ts';
import type { Networks } from '../../network/networks.ts';
import { PortHeld, type SandboxNetwork } from '../../network/sandbox-network.ts';
import { covers, parseBlock } from '../../network-rules/address.ts';
import type { Sandbox } from '../../sandbox.ts';
import type { CallLog } from '../call.ts';
import type { WantedNetwork } from './wanted-network.ts';

/** Refusals that are told of one run; the others are counted. */
const TOLD = 20;

/** The network of a leased sandbox, as its session or one-shot has it. Disposing of it ends it. */
export class LeasedNetwork implements Disposable {
  readonly #network: SandboxNetwork;
  readonly #followers: Set<(denial: Denial) => void>;
  /** Blocks that lead to the sandbox itself, from its birth on. */
  readonly #blocks: readonly string[];

  /** What carries it. */
  get carrier(): SandboxNetwork {
    return this.#network;
  }

  private constructor(
    network: SandboxNetwork,
    followers: Set<(denial: Denial) => void>,
    blocks: readonly string[],
  ) {
    this.#network = network;
    this.#followers = followers;
    this.#blocks = blocks;
  }

  /** Null for a sandbox that is to have none. @throws {ServiceError | SandboxLost} */
  static async open(
    networks: Networks | null,
    sandbox: Sandbox,
    wanted: WantedNetwork | null,
    log: CallLog,
  ): Promise<LeasedNetwork | null> {
    if (!networks || !wanted) return null;
    const followers = new Set<(denial: Denial) => void>();
    const onDenied = (denial: Denial) => {
      for (const follower of followers) follower(denial);
    };
    try {
      const network = await networks.open(sandbox, wanted.rules, { onDenied, log });
      return new LeasedNetwork(network, followers, wanted.egress.blocks);
    } catch (error) {
      if (!(error instanceof EgressLost || error instanceof PortHeld)) throw error;
      const extra = { field: 'network', cause: error };
      throw new ServiceError(
        'RUNTIME_UNAVAILABLE',
        'network: it could not be opened; try again later',
        extra,
      );
    }
  }

  /** Other rules from now on. @throws {ServiceError} and they are what they were */
  async update({ rules, egress }: WantedNetwork): Promise<void> {
    const known = this.#blocks.map(text => parseBlock(text)!);
    const block = egress.blocks.find(text => !known.some(outer => covers(outer, parseBlock(text)!)));
    if (block !== undefined) {
      const problem = `${block} can only be reached by a session that was made with it`;
      throw new ServiceError('NOT_SUPPORTED', `network.allow: ${problem}`, { field: 'network.allow' });
    }
    try {
      await this.#network.update(rules);
    } catch (error) {
      if (!(error instanceof PortHeld)) throw error;
      throw new ServiceError('CONFLICT', `network: ${error.message}`, { field: 'network' });
    }
  }

  /** Runs something, tells of what it is refused meanwhile, and adds to its usage what has passed. */
  async during<R extends RunResult>(tell: (denial: Denial) => void, run: () => Promise<R>): Promise<R> {
    let told = 0;
    const follower = (denial: Denial) => {
      if (told++ < TOLD) tell(denial);
    };
    const before = await this.#network.usage();
    this.#followers.add(follower);
    try {
      const result = await run();
      const network = difference(await this.#network.usage(), before);
      return { ...result, usage: { ...result.usage, network } };
    } finally {
      this.#followers.delete(follower);
    }
  }

  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]();
  }
}

function difference(after: NetworkUsage, before: NetworkUsage): NetworkUsage {
  return {
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    connections: after.connections - before.connections,
    denied: after.denied - before.denied,
  };
}
