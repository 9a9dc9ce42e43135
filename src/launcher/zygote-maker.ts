import type { Cgroups } from '../cgroup/cgroup.ts';
import type { StartLimits } from './protocol.ts';
import type { MadeSandbox, SandboxMaker } from './sandboxes.ts';
import type { StartRequest } from './start-request.ts';
import { Templates } from './templates.ts';
import type { Zygote, ZygoteSandbox } from './zygote.ts';

/** A forked agent is one process throughout. */
export const FORKED_TASKS = 1;

/** Makes sandboxes by the zygote, which makes and removes their control groups and disks too. */
export class ZygoteMaker implements SandboxMaker {
  readonly templates: Templates;
  readonly #zygote: Zygote;
  readonly #cgroups: Cgroups;

  constructor(zygote: Zygote, cgroups: Cgroups) {
    this.#zygote = zygote;
    this.#cgroups = cgroups;
    this.templates = new Templates(zygote, cgroups);
  }

  make(id: string, request: StartRequest, limits: StartLimits, divided: boolean): MadeSandbox {
    const tasks = limits.processes + FORKED_TASKS;
    const plan = this.#cgroups.plan(id, { ...limits, processes: tasks }, divided);
    const sandbox = this.#zygote.start(id, plan, request, limits);
    return { ...sandbox, settled() {}, remove: () => this.#remove(id, sandbox) };
  }

  async #remove(id: string, sandbox: ZygoteSandbox): Promise<void> {
    await sandbox.remove(this.#cgroups.tooManyDead());
    this.#cgroups.removed(id);
  }
}
