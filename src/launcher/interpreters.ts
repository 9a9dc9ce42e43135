import { dirname } from 'node:path';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { killGroup, removeGroup } from './groups.ts';
import type { ForkOrder } from './protocol.ts';
import type { Zygote } from './zygote/client.ts';
import type { Offspring } from './zygote/protocol.ts';

const MB = 1024 * 1024;
/** With what its children need on their way into theirs, and the kernel goes on charging here: page tables, mostly. */
const LIMITS = { memoryBytes: 1024 * MB, cpus: 1, processes: 512 };
/** Kinds of them; what else is asked for is started in its sandbox. */
const MOST = 4;
/** After this long one that did not come up is tried again, milliseconds. */
const RETRY_MS = 30_000;
const OPEN_FILES = 1024;

type State = { readonly waits: string } | 'coming' | 'failed';

/** Interpreters that wait outside of every sandbox, one for each command and environment that is asked for. */
export class Interpreters {
  readonly #zygote: Zygote;
  readonly #cgroups: Cgroups;
  readonly #states = new Map<string, State>();

  constructor(zygote: Zygote, cgroups: Cgroups) {
    this.#zygote = zygote;
    this.#cgroups = cgroups;
  }

  /** Forks one into a sandbox: its number there, or null where none waits yet. */
  async fork(id: string, { argv, env }: ForkOrder, offspring: Offspring): Promise<number | null> {
    const key = JSON.stringify([argv, env]);
    const state = this.#states.get(key);
    if (typeof state === 'object') return this.#zygote.forkFrom(state.waits, id, offspring);
    if (state === undefined && this.#states.size < MOST) void this.#raise(key, argv, env);
    return null;
  }

  async #raise(key: string, argv: ForkOrder['argv'], env: ForkOrder['env']): Promise<void> {
    const id = `interpreter-${crypto.randomUUID()}`;
    this.#states.set(key, 'coming');
    try {
      this.#cgroups.create(id, LIMITS);
      const { procs } = this.#cgroups.directories(id);
      const groups = [...new Set(procs.map(file => dirname(dirname(file))))];
      const order = { argv, env, procs, groups, openFiles: OPEN_FILES };
      const started = await this.#zygote.interpreter(id, order);
      this.#states.set(key, { waits: id });
      await started.ended;
    } catch {
      // What it is for is started in its sandbox.
    }
    this.#states.set(key, 'failed');
    await killGroup(this.#cgroups, id);
    await removeGroup(this.#cgroups, id);
    setTimeout(() => this.#states.delete(key), RETRY_MS);
  }
}
