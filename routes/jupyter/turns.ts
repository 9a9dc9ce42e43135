import type { CallLog } from '../../src/service/call.ts';

/** What waits for its turn in a kernel's interpreter. */
export interface Job {
  /** `aborted`: an earlier cell has failed, or the kernel begins anew, so that no cell is to be run. */
  run(aborted: boolean): Promise<void>;
  readonly isCell: boolean;
}

/** Jobs in the order they came, one at a time. */
export class Turns {
  readonly #log: CallLog;
  readonly #waiting: { readonly job: Job; aborted: boolean }[] = [];
  #working = false;

  constructor(log: CallLog) {
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves or rejects as the job does. */
  take(job: Job): Promise<void> {
    return this.#enter(job, entry => this.#waiting.push(entry));
  }

  /** The same, before all that wait. */
  takeFirst(job: Job): Promise<void> {
    return this.#enter(job, entry => this.#waiting.unshift(entry));
  }

  /** Cells that wait are answered in their turn without being run. */
  abortCells(): void {
    for (const entry of this.#waiting) if (entry.job.isCell) entry.aborted = true;
  }

  #enter({ run, isCell }: Job, place: (entry: { job: Job; aborted: boolean }) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      place({ job: { isCell, run: aborted => run(aborted).then(resolve, reject) }, aborted: false });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift())
      await next.job
        .run(next.aborted)
        .catch(error => this.#log.error({ err: error }, 'a kernel’s turn failed'));
    this.#working = false;
  }
}
