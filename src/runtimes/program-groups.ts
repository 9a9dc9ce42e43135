import type { AgentClient } from '../agent-client/agent-client.ts';
import type { GroupDirectories } from '../cgroup/cgroup.ts';
import { leafOf } from '../cgroup/leaves.ts';
import { Meter as GroupMeter } from '../cgroup/meter.ts';
import type { Forked } from '../launcher/protocol.ts';
import type { Measurement, Meter, Process, SpawnSpec } from '../sandbox.ts';
import type { PreparedMessage } from '../wire/messages.ts';

/** Whoever may write to a sandbox's control groups. Neither rejects nor throws. */
export interface LeafSource {
  /** Moves a program that waits to begin into a leaf of its own and resolves to the leaf's name; to null where that can't be done. */
  place(pid: number): Promise<string | null>;
  /** Takes a leaf back. What is still running in it goes on. */
  give(leaf: string): void;
}

/**
 * Which leaf of its sandbox's group each program runs in. One that nothing runs beside stays where the agent is, which costs
 * nothing; another one, and every kernel, is moved into a leaf before it begins, and what it uses is known apart from the rest.
 */
export class ProgramGroups {
  readonly #group: GroupDirectories;
  readonly #main: Pick<GroupMeter, 'runsPrograms'>;
  readonly #source: LeafSource;
  /** Leaves that programs have run in. */
  readonly #used = new Set<string>();
  /** Of the program that runs in the agent's leaf. */
  #alone: ProgramGroup | null = null;
  /** A program has been started. */
  #begun = false;

  /** `main`: the meter of the agent's leaf. */
  constructor(group: GroupDirectories, main: Pick<GroupMeter, 'runsPrograms'>, source: LeafSource) {
    this.#group = group;
    this.#main = main;
    this.#source = source;
  }

  get mainInUse(): boolean {
    return this.#alone !== null;
  }

  /** Of a program that is about to be started. `apart`: it may go on beside others. */
  next({ apart }: { apart: boolean }): ProgramGroup {
    const shared = this.mainInUse || (this.#begun && this.#main.runsPrograms);
    this.#begun = true;
    if (apart || shared) return new OwnLeaf(this.#source, leaf => this.#open(leaf));
    const end = () => {
      if (this.#alone === group) this.#alone = null;
    };
    const group = { meter: null, end };
    this.#alone = group;
    return group;
  }

  #open(leaf: string): LeafMeter {
    const used = this.#used.has(leaf);
    this.#used.add(leaf);
    return new LeafMeter(this.#group, leaf, used);
  }
}

/** Starts a program in its group; `fork` where it can be forked. */
export async function spawnIn(
  groups: ProgramGroups | null,
  agent: AgentClient,
  spec: SpawnSpec,
  fork?: (ends: PreparedMessage) => Promise<Forked | null>,
): Promise<Process> {
  const group = groups?.next({ apart: spec.control ?? false });
  const forkInto = async (ends: PreparedMessage) => {
    const forked = (await fork?.(ends)) ?? null;
    if (forked?.leaf) group?.enter?.(forked.leaf);
    return forked?.pid ?? null;
  };
  try {
    const hooks = { place: group?.place, ended: () => group?.end(), ...(fork && { fork: forkInto }) };
    const process = await agent.spawn(spec, hooks);
    process.meter = group?.meter ?? null;
    return process;
  } catch (error) {
    group?.end();
    throw error;
  }
}

/** Where one program runs. */
export interface ProgramGroup {
  /** Null where the sandbox's own measures it. */
  readonly meter: Meter | null;
  /** See StartHooks (src/agent-client/host-process.ts). */
  readonly place?: (pid: number) => Promise<void>;
  /** It was forked into this leaf. */
  enter?(leaf: string): void;
  /** The program has ended, or was not started. Idempotent. */
  end(): void;
}

class OwnLeaf implements ProgramGroup {
  meter: LeafMeter | null = null;
  readonly #source: LeafSource;
  readonly #open: (leaf: string) => LeafMeter;
  #leaf: string | null = null;
  #ended = false;

  constructor(source: LeafSource, open: (leaf: string) => LeafMeter) {
    this.#source = source;
    this.#open = open;
  }

  readonly place = async (pid: number): Promise<void> => {
    const leaf = await this.#source.place(pid);
    if (leaf !== null) this.enter(leaf);
  };

  enter(leaf: string): void {
    if (this.#ended || this.#leaf !== null) return this.#source.give(leaf);
    this.#leaf = leaf;
    this.meter = this.#open(leaf);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.meter?.close();
    if (this.#leaf !== null) this.#source.give(this.#leaf);
  }
}

/** Counts from when it is made. After `close` the last reading stands. */
class LeafMeter implements Meter {
  readonly #meter: GroupMeter;
  readonly #before: Measurement;

  /** `used`: earlier programs have run in the leaf. */
  constructor(group: GroupDirectories, leaf: string, used: boolean) {
    this.#meter = new GroupMeter(leafOf(group, leaf), { used, within: group });
    this.#meter.resetPeaks();
    this.#before = this.#meter.totals();
  }

  async measure(): Promise<Measurement> {
    return this.#since(this.#meter.read());
  }

  #since(now: Measurement): Measurement {
    const { cpuMs: before, oomKills, forksRefused } = this.#before;
    return {
      ...now,
      cpuMs: now.cpuMs === null || before === null ? null : now.cpuMs - before,
      oomKills: now.oomKills - oomKills,
      forksRefused: now.forksRefused - forksRefused,
    };
  }

  async begin(): Promise<Measurement> {
    this.#meter.resetPeaks();
    return this.#since(this.#meter.totals());
  }

  close(): void {
    this.#meter.close();
  }
}
