import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import { AgentClient } from '../../agent-client/agent-client.ts';
import { type GroupDirectories, limitProcesses, limitSockets } from '../../cgroup/cgroup.ts';
import { divide } from '../../cgroup/divide.ts';
import { Leaves, leafOf, MAIN } from '../../cgroup/leaves.ts';
import { groupsOfProcess } from '../../cgroup/of-process.ts';
import {
  type LayerPlace,
  type Measurement,
  type Process,
  type Sandbox,
  type SandboxLimits,
  SandboxLost,
  type SandboxUsage,
  type SpawnSpec,
} from '../../sandbox.ts';
import { type CpuTurn, cpuTurns } from '../cpu-turns.ts';
import { ProgramGroups, spawnIn } from '../program-groups.ts';
import { shownLimits } from '../shown-limits.ts';
import { TOO_MANY_LOCKS, watchLocks } from '../watch-locks.ts';
import { AttachedStream } from './attached-stream.ts';
import { connectDirectly } from './connect-directly.ts';
import { type ContainerMeter, containerStats, meterOf } from './container-meter.ts';
import { type ContainerPlan, containerOptions, cpuTime, SILENCE_MS, START_CPUS } from './container-plan.ts';
import type { ContainerState, ContainerWatch } from './container-watch.ts';
import { Created, type Engine, EngineUnable } from './engine.ts';
import { nameHosts } from './host-names.ts';
import type { LayersVolume } from './layers-volume.ts';

/** Time to wait for the engine's events after the stream has ended, milliseconds. */
const LAST_EVENT_MS = 500;
/** What an agent whose stream has ended may take to end its container, milliseconds: a program may hold it up. */
const EXIT_MS = 500;
/** Time limit for the agent's first answer, milliseconds; generous for busy machines. */
const READY_MS = 20_000;
/** The agent is one process of one thread. */
const AGENT_TASKS = 1;
const ALIVE_EVERY_MS = SILENCE_MS / 3;
/** Limits that a container keeps: its disks are mounted with their sizes, and what is in them is part of its memory. */
const FIXED = ['memoryBytes', 'diskBytes', 'processes'] as const;
const RunningContainer = Type.Object({
  State: Type.Object({ Pid: Type.Integer({ minimum: 0 }) }),
  GraphDriver: Type.Optional(
    Type.Object({
      Data: Type.Optional(
        Type.Union([Type.Null(), Type.Object({ MergedDir: Type.Optional(Type.String()) })]),
      ),
    }),
  ),
});

export interface DockerSandboxParts {
  readonly engine: Engine;
  readonly watch: ContainerWatch;
  readonly plan: ContainerPlan;
  /** Environment variables of the image. */
  readonly environment: Readonly<Record<string, string>>;
  /** What its mount of layers shows; null where it has none. */
  readonly layers: LayersVolume | null;
  /** Programs that run at once are to be told apart, where the container's control groups can be written. */
  readonly divided: boolean;
}

/** A sandbox in a container, reached over the attached stream of its agent, or directly where the engine runs on this machine. */
export class DockerSandbox implements Sandbox {
  readonly id: string;
  readonly preforks = false;
  readonly environment: Readonly<Record<string, string>>;
  readonly lost: Promise<SandboxLost>;
  /** Resolves when it is closed, to whether its container is removed: it can't be where the engine has gone. */
  readonly gone: Promise<boolean>;
  readonly #parts: DockerSandboxParts;
  readonly #containerId: string;
  readonly #stream: AttachedStream;
  readonly #agent: AgentClient;
  readonly #state: ContainerState;
  readonly #alive: NodeJS.Timeout;
  readonly #lost = Promise.withResolvers<SandboxLost>();
  readonly #gone = Promise.withResolvers<boolean>();
  #meter: ContainerMeter | undefined;
  #groups: ProgramGroups | null = null;
  #locks: Disposable | undefined;
  #cpus: CpuTurn;
  /** OOM kills before the current run, which don't explain the sandbox's end. */
  #oomKillsBefore = 0;
  #closing: Promise<void> | undefined;

  private constructor(parts: DockerSandboxParts, containerId: string, socket: Duplex) {
    this.id = parts.plan.id;
    this.environment = parts.environment;
    this.lost = this.#lost.promise;
    this.gone = this.#gone.promise;
    this.#parts = parts;
    this.#cpus = cpuTurns.take(parts.plan.limits.cpus);
    this.#containerId = containerId;
    this.#state = parts.watch.watch(containerId);
    this.#stream = new AttachedStream(socket, () => Promise.race([this.#state.died, lastEventTimeout()]));
    this.#agent = new AgentClient(this.#stream, () => this.#state.oomKills > this.#oomKillsBefore);
    this.#alive = setInterval(() => this.#agent.stayAlive(), ALIVE_EVERY_MS).unref();
    void this.#agent.lost.then(reason => this.#end(reason));
  }

  /**
   * Creates the container and resolves when its agent answers. Leaves nothing behind when it rejects.
   * @throws {EngineUnable | SandboxLost}
   */
  static async open(parts: DockerSandboxParts): Promise<DockerSandbox> {
    const { engine, plan } = parts;
    const { name, ...body } = containerOptions(plan);
    try {
      // Without `_query` and `_body` dockerode would put the whole body into the URL too.
      const options = { _query: { name }, _body: body } as object;
      const { id } = await engine.ask(Created, docker => docker.createContainer(options));
      const socket = await engine.call(docker =>
        docker
          .getContainer(id)
          .attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
      );
      const sandbox = new DockerSandbox(parts, id, socket as Duplex);
      await sandbox.#start();
      return sandbox;
    } catch (error) {
      // Removed by name, because the engine may have created it without answering.
      await removeContainer(engine, name).catch(() => {});
      throw error;
    }
  }

  get files() {
    return this.#agent.files;
  }

  spawn(spec: SpawnSpec): Promise<Process> {
    return spawnIn(this.#groups, this.#agent, spec);
  }

  async bring(layer: LayerPlace): Promise<void> {
    try {
      await this.#parts.layers?.bring(layer);
    } catch (error) {
      throw error instanceof EngineUnable ? new SandboxLost(error.message) : error;
    }
  }

  async measure(): Promise<Measurement> {
    return (await this.#meter?.read()) ?? NOT_MEASURED;
  }

  /** The engine tells no more of a container than its programs' meters do. */
  async usage(): Promise<SandboxUsage> {
    const { cpuMs } = await this.measure();
    return { cpuMs, memoryBytes: null, fileBytes: null };
  }

  async begin(): Promise<Measurement> {
    if (!this.#groups?.mainInUse) this.#meter?.resetPeaks();
    this.beginApart();
    return this.measure();
  }

  beginApart(): void {
    this.#oomKillsBefore = this.#state.oomKills;
  }

  async limitMemory(bytes: number): Promise<boolean> {
    try {
      const used = await this.#memoryInUse();
      if (used > bytes) return false;
      await this.#update({ Memory: bytes, MemorySwap: bytes });
      return true;
    } catch (error) {
      if (error instanceof EngineUnable) return false;
      throw error;
    }
  }

  /** Only the CPU can change. */
  async resize(asked: SandboxLimits): Promise<boolean> {
    const { limits } = this.#parts.plan;
    if (FIXED.some(name => asked[name] !== limits[name])) return false;
    if (asked.cpus === limits.cpus) return true;
    try {
      await this.#update(cpuTime(asked.cpus));
    } catch {
      return false;
    }
    if (this.#closing) return false;
    cpuTurns.give(this.#cpus);
    this.#cpus = cpuTurns.take(asked.cpus);
    this.#agent.showLimits(shownLimits(asked, this.#cpus));
    return true;
  }

  diskFull(): boolean {
    return this.#agent.diskFull;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const { engine, plan } = this.#parts;
    const timer = setTimeout(() => this.#agent.destroy(), READY_MS);
    try {
      await engine.call(docker => docker.getContainer(this.#containerId).start());
      const inspected = engine.ask(RunningContainer, docker =>
        docker.getContainer(this.#containerId).inspect(),
      );
      inspected.catch(() => {});
      await this.#agent.ready;
      const { State, GraphDriver } = await inspected;
      const groups = groupsOfProcess(State.Pid, this.#containerId);
      const direct = groups && (await connectDirectly(State.Pid));
      if (direct) this.#stream.goOver(direct);
      this.#agent.showLimits(shownLimits(plan.limits, this.#cpus));
      const merged = GraphDriver?.Data?.MergedDir;
      if (!plan.hosts.fromEngine(plan.image)) {
        const refusal = groups ? nameHosts(merged, State.Pid) : 'engine';
        if (refusal) plan.hosts.refused(refusal, plan.image);
      }
      await this.#measure(State.Pid, groups);
      if (groups) this.#locks = watchLocks(groups, () => this.#agent.endForMemory(TOO_MANY_LOCKS));
      await this.#limitGroups(groups);
    } catch (error) {
      const stderr = this.#stream.stderr.trim();
      await this.close().catch(() => {});
      throw stderr ? new SandboxLost(`${plan.image}: ${stderr}`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #measure(pid: number, groups: GroupDirectories | null): Promise<void> {
    const { engine, divided } = this.#parts;
    const leaves = divided && groups && (await divide(groups, pid)) ? new Leaves(groups) : null;
    const measured = groups && (leaves ? { leaf: leafOf(groups, MAIN), within: groups } : { leaf: groups });
    this.#meter = meterOf(engine, this.#containerId, measured, () => this.#state.oomKills);
    if (groups && leaves) this.#groups = new ProgramGroups(groups, this.#meter, leaves);
  }

  /**
   * Lowers the limits of processes and CPU, which were higher for the start, and bounds socket memory, which no engine does
   * (runc 1.0 and later).
   */
  async #limitGroups(groups: GroupDirectories | null): Promise<void> {
    const { processes, memoryBytes, cpus } = this.#parts.plan.limits;
    if (cpus < START_CPUS) await this.#update(cpuTime(cpus));
    try {
      if (groups) {
        limitSockets(groups, memoryBytes);
        return limitProcesses(groups, processes + AGENT_TASKS);
      }
    } catch {
      // Only root may write there; the engine can do it instead.
    }
    await this.#update({ PidsLimit: processes + AGENT_TASKS });
  }

  /** @throws {EngineUnable} */
  async #update(limits: object): Promise<void> {
    await this.#parts.engine.call(docker => docker.getContainer(this.#containerId).update(limits));
  }

  async #memoryInUse(): Promise<number> {
    const stats = await containerStats(this.#parts.engine, this.#containerId);
    return stats.memory_stats?.usage ?? 0;
  }

  async #close(): Promise<void> {
    clearInterval(this.#alive);
    cpuTurns.give(this.#cpus);
    this.#locks?.[Symbol.dispose]();
    this.#agent.destroy();
    this.#meter?.close();
    let removed = false;
    try {
      await this.#remove();
      removed = true;
    } finally {
      this.#parts.watch.forget(this.#containerId);
      this.#gone.resolve(removed);
    }
  }

  /** A container ends with its agent, and the engine then removes it by itself: to kill it would start a program of the engine's more. */
  async #remove(): Promise<void> {
    const { engine } = this.#parts;
    if (await endsIn(this.#state.died, EXIT_MS)) {
      try {
        return await untilRemoved(engine, this.#containerId);
      } catch {
        // It is asked to.
      }
    }
    await removeContainer(engine, this.#containerId);
  }

  async #end(reason: SandboxLost): Promise<void> {
    // Programs' waiters are notified first.
    await setImmediate();
    if (this.#closing) return;
    this.#lost.resolve(reason);
    // If the engine has gone, the sweep removes it later.
    await this.close().catch(() => {});
  }
}

const NOT_MEASURED: Measurement = {
  cpuMs: null,
  peakMemoryBytes: null,
  peakProcesses: null,
  oomKills: 0,
  forksRefused: 0,
};

/** For a removal that was under way already. An engine that was killed meanwhile never ends it: it is asked anew later. Milliseconds. */
const REMOVAL_MS = 10_000;

/** Kills a container and waits until it is removed. `name`: name or identifier. @throws {EngineUnable} */
export async function removeContainer(engine: Engine, name: string): Promise<void> {
  try {
    await engine.call(docker => docker.getContainer(name).remove({ force: true, v: true }));
  } catch (error) {
    const status = error instanceof EngineUnable ? error.status : null;
    if (status === 404) return;
    // 409: the engine is removing it already.
    if (status !== 409) throw error;
    await untilRemoved(engine, name);
  }
}

/** @throws {EngineUnable} */
async function untilRemoved(engine: Engine, name: string): Promise<void> {
  try {
    await engine.call(docker => docker.getContainer(name).wait({ condition: 'removed' }), REMOVAL_MS);
  } catch (error) {
    if (!(error instanceof EngineUnable && error.status === 404)) throw error;
  }
}

/** Whether something happens in time. */
async function endsIn(end: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  using _timer = setTimeout(late.resolve, ms, false);
  return await Promise.race([end.then(() => true), late.promise]);
}

function lastEventTimeout(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, LAST_EVENT_MS).unref());
}
