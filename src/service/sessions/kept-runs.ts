import { LIMITS } from '../../schemas/limits.ts';
import { CHAR_BYTES, type CommandRun } from '../supervision/command-run.ts';

/** Bytes of a run in addition to what it printed and came to. */
const RUN_BYTES = 2048;

interface Kept {
  readonly bytes: number;
  readonly forget: () => void;
}

/**
 * Ended commands whose status can still be asked for. When what they printed and came to takes too much memory, the oldest of
 * the largest owner are dropped.
 */
export class KeptRuns {
  readonly #owners = new Map<string | null, { bytes: number; readonly runs: Map<CommandRun, Kept> }>();
  readonly #limits: { readonly perOwner: number; readonly total: number };
  #bytes = 0;

  constructor(limits: { readonly perOwner: number; readonly total: number } = LIMITS.keptBytes) {
    this.#limits = limits;
  }

  /** `forget` is called when the run is dropped. An owner's newest run is never dropped. */
  add(owner: string | null, run: CommandRun, forget: () => void): void {
    const { stdout = '', stderr = '' } = run.runResult ?? {};
    const bytes = RUN_BYTES + (stdout.length + stderr.length) * CHAR_BYTES + run.keptBytes;
    const own = this.#owners.get(owner) ?? { bytes: 0, runs: new Map<CommandRun, Kept>() };
    this.#owners.set(owner, own);
    own.runs.set(run, { bytes, forget });
    own.bytes += bytes;
    this.#bytes += bytes;
    const most = owner === null ? this.#limits.total : this.#limits.perOwner;
    while (own.bytes > most && own.runs.size > 1) this.#forgetOldest(owner);
    while (this.#bytes > this.#limits.total) if (!this.#forgetOldest(this.#largest())) return;
  }

  /** Removes a run without calling `forget`. */
  drop(owner: string | null, run: CommandRun): void {
    const own = this.#owners.get(owner);
    const kept = own?.runs.get(run);
    if (!own || !kept) return;
    own.runs.delete(run);
    own.bytes -= kept.bytes;
    this.#bytes -= kept.bytes;
    if (own.runs.size === 0) this.#owners.delete(owner);
  }

  #forgetOldest(owner: string | null): boolean {
    const own = this.#owners.get(owner);
    const [run, kept] = own?.runs.entries().next().value ?? [];
    if (!own || own.runs.size < 2 || !run || !kept) return false;
    this.drop(owner, run);
    kept.forget();
    return true;
  }

  #largest(): string | null {
    const several = [...this.#owners].filter(([, { runs }]) => runs.size > 1);
    return several.sort(([, one], [, other]) => other.bytes - one.bytes)[0]?.[0] ?? null;
  }
}
