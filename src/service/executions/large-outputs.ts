import { type Sandbox, SandboxLost } from '../../sandbox.ts';
import type { OutputFile } from '../../schemas/execution.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import type { CallLog } from '../call.ts';
import type { KeptFiles } from '../store/kept-files.ts';
import type { WantedOutput } from './collect-outputs.ts';
import type { Execution } from './execution.ts';

/** Runs whose large files are copied, or wait for their results to be stored, at once: what the disk holds beyond the store's limit. */
const COPIED_AT_ONCE = 2;
/** Time for one: a beginning, milliseconds, and what a busy sandbox reads at the very least, bytes per millisecond. */
const COPY_MS = 10_000;
const LEAST_RATE = 8_000;
/** Of what results may take on disk, the part that one run's files may. */
const PART = 4;

/** A large file of a run as its result has it; `number`: its place among what was asked for. */
export type LinkedFile = OutputFile & { readonly url: string; readonly size: number };

/** Files that are too large to be in a result: copied to the service's disk, and fetched from there as long as the result is kept. */
export class LargeOutputs {
  readonly #files: KeptFiles;
  readonly #mostBytes: number;
  readonly #log: CallLog;
  readonly #turns = new FairQueue(COPIED_AT_ONCE, Number.POSITIVE_INFINITY);
  /** Of the runs whose files are on the disk and not in the store's count. */
  readonly #taken = new Map<string, () => void>();

  /** `storeBytes`: what all results may take. */
  constructor(files: KeptFiles, storeBytes: number, log: CallLog) {
    this.#files = files;
    this.#log = log;
    this.#mostBytes = Math.floor(storeBytes / PART);
  }

  /**
   * Copies them in their order, by number. What can't be kept is left out: for want of room or time, or as its run was cancelled. To be
   * told when they are {@link stored}.
   */
  async keep(
    { id, owner, run }: Execution,
    sandbox: Sandbox,
    outputs: readonly WantedOutput[],
  ): Promise<ReadonlyMap<number, LinkedFile>> {
    const kept = new Map<number, LinkedFile>();
    const leave = await this.#turns.enter(owner ?? id, run.cancelled).catch(() => null);
    if (!leave) return kept;
    this.#taken.set(id, leave);
    let room = this.#mostBytes;
    for (const { number, name, path } of outputs) {
      const size = await this.#copy(id, number, { sandbox, path, room, cancelled: run.cancelled });
      if (size === null) continue;
      room -= size;
      kept.set(number, { path: name, url: urlOf(id, number), size });
    }
    return kept;
  }

  /** The result of a run is in the store, or its files are gone. */
  stored(executionId: string): void {
    this.#taken.get(executionId)?.();
    this.#taken.delete(executionId);
  }

  /** Its bytes; null where it can't be kept. */
  async #copy(
    executionId: string,
    number: number,
    {
      sandbox,
      path,
      room,
      cancelled,
    }: { sandbox: Sandbox; path: string; room: number; cancelled: AbortSignal },
  ): Promise<number | null> {
    try {
      const source = await sandbox.files.openRead(path);
      const { size, type } = source.status;
      const signal = AbortSignal.any([
        cancelled,
        AbortSignal.timeout(COPY_MS + Math.ceil(size / LEAST_RATE)),
      ]);
      const close = () => source.close();
      signal.addEventListener('abort', close, { once: true });
      try {
        if (type !== 'file' || size > room || signal.aborted) return null;
        await this.#files.write(executionId, number, source, signal);
        return size;
      } finally {
        signal.removeEventListener('abort', close);
        close();
      }
    } catch (error) {
      // A result without the file is better than none.
      if (!(error instanceof SandboxLost))
        this.#log.warn({ err: error, executionId, number }, 'a large file of a run could not be kept');
      return null;
    }
  }
}

/** Where one is fetched, on the server that ran it. */
export function urlOf(executionId: string, number: number): string {
  return `/api/execution/${executionId}/files/${number}`;
}
