import { AgentClient } from '../../agent-client/agent-client.ts';
import { type GroupDirectories, limitProcesses } from '../../cgroup/cgroup.ts';
import { leafOf, MAIN } from '../../cgroup/leaves.ts';
import { Meter } from '../../cgroup/meter.ts';
import { readUsage } from '../../cgroup/usage.ts';
import type { PreforkRequest } from '../../launcher/protocol.ts';
import {
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
import type { Launched, LauncherClient } from './launcher-client.ts';

/** Time to wait for a sandbox's standard error after its stream has ended, milliseconds. */
const LAST_WORDS_MS = 500;
/** Time limit for the agent's first answer, milliseconds; generous for busy machines. */
const READY_MS = 15_000;
const CHANGEABLE = ['memoryBytes', 'diskBytes', 'cpus'] as const;

export interface LocalSpec {
  readonly limits: SandboxLimits;
  /** Additional variables of its programs. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The sandbox was launched with leaves for its programs. */
  readonly divided: boolean;
}

/** A local sandbox, forked by the zygote or started by bubblewrap, and reached through its agent. */
export class LocalSandbox implements Sandbox {
  readonly id: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly lost: Promise<SandboxLost>;
  readonly #agent: AgentClient;
  readonly #meter: Meter;
  readonly #launcher: LauncherClient;
  readonly #limits: SandboxLimits;
  readonly #directories: GroupDirectories;
  readonly #locks: Disposable;
  readonly #groups: ProgramGroups | null;
  readonly #lost = Promise.withResolvers<SandboxLost>();
  #cpus: CpuTurn;
  /** OOM kills before the current run, which don't explain the sandbox's end. */
  #oomKillsBefore = 0;
  #closing: Promise<void> | undefined;

  private constructor(launched: Launched, launcher: LauncherClient, meter: Meter, spec: LocalSpec) {
    this.#limits = spec.limits;
    this.#cpus = cpuTurns.take(spec.limits.cpus);
    this.environment = spec.environment ?? {};
    this.id = launched.id;
    this.#directories = launched.groups;
    this.lost = this.#lost.promise;
    this.#launcher = launcher;
    this.#meter = meter;
    const source = {
      place: (pid: number) => launcher.place(launched.id, pid),
      give: (leaf: string) => launcher.give(launched.id, leaf),
    };
    this.#groups = spec.divided ? new ProgramGroups(launched.groups, meter, source) : null;
    this.#agent = new AgentClient(launched.stream, () => this.#meter.oomKills > this.#oomKillsBefore);
    this.#locks = watchLocks(launched.groups, () => this.#agent.endForMemory(TOO_MANY_LOCKS));
    void this.#agent.lost.then(reason => this.#end(reason, launched.ended));
  }

  /** Resolves when the agent answers and the process limit is set. @throws {SandboxLost} */
  static async open(launched: Launched, launcher: LauncherClient, spec: LocalSpec): Promise<LocalSandbox> {
    const { groups } = launched;
    const meter = spec.divided ? new Meter(leafOf(groups, MAIN), { within: groups }) : new Meter(groups);
    const sandbox = new LocalSandbox(launched, launcher, meter, spec);
    const timer = setTimeout(() => sandbox.#agent.destroy(), READY_MS);
    try {
      await sandbox.#agent.ready;
      sandbox.#agent.showLimits(shownLimits(spec.limits, sandbox.#cpus));
      if (launched.agentTasks === null)
        limitProcesses(launched.groups, spec.limits.processes + meter.discountRunning());
      else meter.discount(launched.agentTasks);
    } catch (error) {
      const words = await lastWords(launched.ended);
      await sandbox.close();
      throw words && error instanceof SandboxLost ? new SandboxLost(words, error.outOfMemory) : error;
    } finally {
      clearTimeout(timer);
    }
    launcher.settled(sandbox.id);
    return sandbox;
  }

  get preforks(): boolean {
    return this.#launcher.forks;
  }

  get files() {
    return this.#agent.files;
  }

  spawn(spec: SpawnSpec): Promise<Process> {
    const { argv, env, cwd, preforks } = spec;
    const fork = (ends: PreforkRequest['ends']) => this.#launcher.fork(this.id, { argv, env, cwd, ends });
    return spawnIn(this.#groups, this.#agent, spec, preforks && this.preforks ? fork : undefined);
  }

  /** It sees all that there are. */
  async bring(): Promise<void> {}

  async measure(): Promise<Measurement> {
    return this.#meter.read();
  }

  async usage(): Promise<SandboxUsage> {
    return readUsage(this.#directories);
  }

  async begin(): Promise<Measurement> {
    if (!this.#groups?.mainInUse) this.#meter.resetPeaks();
    const totals = this.#meter.totals();
    this.#oomKillsBefore = totals.oomKills;
    return totals;
  }

  beginApart(): void {
    this.#oomKillsBefore = this.#meter.oomKills;
  }

  limitMemory(bytes: number): Promise<boolean> {
    return this.#launcher.limitMemory(this.id, bytes);
  }

  async resize(limits: SandboxLimits): Promise<boolean> {
    if (this.#limits.processes !== limits.processes) return false;
    const same = CHANGEABLE.every(name => this.#limits[name] === limits[name]);
    if (same) return true;
    if (!(await this.#launcher.resize(this.id, limits)) || this.#closing) return false;
    cpuTurns.give(this.#cpus);
    this.#cpus = cpuTurns.take(limits.cpus);
    this.#agent.showLimits(shownLimits(limits, this.#cpus));
    return true;
  }

  diskFull(): boolean {
    return this.#agent.diskFull;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(this.#agent.inUse);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** `measured`: somebody may ask what was used until now. */
  async #close(measured: boolean): Promise<void> {
    this.#locks[Symbol.dispose]();
    cpuTurns.give(this.#cpus);
    this.#agent.destroy();
    // Closed first: open files keep a control group from being removed.
    this.#meter.close(measured);
    await this.#launcher.stop(this.id);
  }

  async #end(reason: SandboxLost, ended: Promise<string>): Promise<void> {
    if (this.#closing) return;
    const words = await lastWords(ended);
    this.#lost.resolve(words ? new SandboxLost(`${reason.message}: ${words}`, reason.outOfMemory) : reason);
    this.#closing ??= this.#close(true);
    await this.#closing;
  }
}

async function lastWords(ended: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<string>(resolve => {
    timer = setTimeout(resolve, LAST_WORDS_MS, '');
  });
  try {
    return await Promise.race([ended, silence]);
  } finally {
    clearTimeout(timer);
  }
}
