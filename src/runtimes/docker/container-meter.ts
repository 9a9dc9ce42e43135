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

/** What a container has used: from its control group where that can be seen, else as the engine's stats tell. */
export interface ContainerMeter {
  read(): Promise<Measurement>;
  resetPeaks(): void;
  /** The last reading stands from now on. */
  close(): void;
}

/** `groups`: the container's, where they can be seen. `oomKills`: how many the engine has told of. */
export function meterOf(
  engine: Engine,
  containerId: string,
  groups: GroupDirectories | null,
  oomKills: () => number,
): ContainerMeter {
  return groups ? new GroupMeter(groups, oomKills) : new StatsMeter(engine, containerId, oomKills);
}

class GroupMeter implements ContainerMeter {
  readonly #meter: Meter;
  readonly #oomKills: () => number;

  constructor(groups: GroupDirectories, oomKills: () => number) {
    this.#meter = new Meter(groups);
    this.#meter.discountRunning();
    // The engine's own start of the container was the most so far, and is nobody's.
    this.#meter.resetPeaks();
    this.#oomKills = oomKills;
  }

  async read(): Promise<Measurement> {
    const measured = this.#meter.read();
    // The group is gone a moment before the engine's word of what happened to it comes.
    return { ...measured, oomKills: Math.max(measured.oomKills, this.#oomKills()) };
  }

  resetPeaks(): void {
    this.#meter.resetPeaks();
  }

  close(): void {
    this.#meter.close();
  }
}

/** What the engine's stats tell; every field may be missing. */
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
  // One reading, without the second that the engine otherwise waits for to tell a rate.
  const options = { stream: false, 'one-shot': true } as { stream: false };
  return engine.ask(ContainerStats, docker => docker.getContainer(containerId).stats(options), STATS_MS);
}

/** An engine keeps no peaks: memory is the most that was seen at a reading. */
class StatsMeter implements ContainerMeter {
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
