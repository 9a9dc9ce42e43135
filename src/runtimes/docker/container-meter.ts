import { type Static, Type } from '@sinclair/typebox';
import type { GroupDirectories } from '../../cgroup/cgroup.ts';
import { Meter } from '../../cgroup/meter.ts';
import type { Measurement } from '../../sandbox.ts';
import type { Engine } from './engine.ts';

const STATS_MS = 2000;
const NS_PER_MS = 1e6;
const NOTHING: Measurement = {
  cpuMs: null,
  peakMemoryBytes: null,
  peakProcesses: null,
  oomKills: 0,
  forksRefused: 0,
};

/** Resource usage of a container: from its control group where visible, else from the engine's stats. */
export interface ContainerMeter {
  read(): Promise<Measurement>;
  resetPeaks(): void;
  /** Something runs in the group beside the agent; false where nobody can tell. */
  readonly runsPrograms: boolean;
  /** Stops reading; the last reading is kept. */
  close(): void;
}

interface MeasuredGroups {
  readonly leaf: GroupDirectories;
  /** The container's own, where that is divided. */
  readonly within?: GroupDirectories;
}

/** `groups`: the container's control groups, or a leaf of them, where visible. `oomKills`: the number the engine has reported. */
export function meterOf(
  engine: Engine,
  containerId: string,
  groups: MeasuredGroups | null,
  oomKills: () => number,
): ContainerMeter {
  return groups ? new GroupMeter(groups, oomKills) : new StatsMeter(engine, containerId, oomKills);
}

class GroupMeter implements ContainerMeter {
  readonly #meter: Meter;
  readonly #oomKills: () => number;
  #lastKills = 0;

  constructor({ leaf, within }: MeasuredGroups, oomKills: () => number) {
    this.#meter = new Meter(leaf, within && { within });
    this.#meter.discountRunning();
    // Discards the peak of the engine's own work at the start.
    this.#meter.resetPeaks();
    this.#oomKills = oomKills;
  }

  get runsPrograms(): boolean {
    return this.#meter.runsPrograms;
  }

  async read(): Promise<Measurement> {
    const measured = this.#meter.read();
    // While the group is there it knows: what the engine reports late would be the next run's.
    if (measured.cpuMs !== null) this.#lastKills = measured.oomKills;
    const oomKills = measured.cpuMs === null ? Math.max(this.#lastKills, this.#oomKills()) : this.#lastKills;
    return { ...measured, oomKills };
  }

  resetPeaks(): void {
    this.#meter.resetPeaks();
  }

  close(): void {
    this.#meter.close();
  }
}

/** The engine's stats; every field may be missing. */
const ContainerStats = Type.Object({
  cpu_stats: Type.Optional(
    Type.Object({
      cpu_usage: Type.Optional(Type.Object({ total_usage: Type.Optional(Type.Number()) })),
    }),
  ),
  memory_stats: Type.Optional(Type.Object({ usage: Type.Optional(Type.Number()) })),
});
type ContainerStats = Static<typeof ContainerStats>;

/** @throws {EngineUnable} */
export function containerStats(engine: Engine, containerId: string): Promise<ContainerStats> {
  // A single reading: without this the engine waits a second to compute rates.
  const options = { stream: false, 'one-shot': true } as { stream: false };
  return engine.ask(ContainerStats, docker => docker.getContainer(containerId).stats(options), STATS_MS);
}

/** Meter over the engine's stats, which have no peaks: peak memory is the highest reading. */
class StatsMeter implements ContainerMeter {
  readonly runsPrograms = false;
  readonly #engine: Engine;
  readonly #containerId: string;
  readonly #oomKills: () => number;
  #peakBytes = 0;
  #last: Measurement = NOTHING;
  #closed = false;

  constructor(engine: Engine, containerId: string, oomKills: () => number) {
    this.#engine = engine;
    this.#containerId = containerId;
    this.#oomKills = oomKills;
  }

  async read(): Promise<Measurement> {
    if (!this.#closed) await this.#ask().catch(() => {});
    return { ...this.#last, oomKills: this.#oomKills() };
  }

  resetPeaks(): void {
    this.#peakBytes = 0;
  }

  close(): void {
    this.#closed = true;
  }

  async #ask(): Promise<void> {
    const stats = await containerStats(this.#engine, this.#containerId);
    const cpuNs = stats.cpu_stats?.cpu_usage?.total_usage;
    this.#peakBytes = Math.max(this.#peakBytes, stats.memory_stats?.usage ?? 0);
    this.#last = {
      ...NOTHING,
      cpuMs: cpuNs === undefined ? this.#last.cpuMs : cpuNs / NS_PER_MS,
      peakMemoryBytes: this.#peakBytes || null,
    };
  }
}
