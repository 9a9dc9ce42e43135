import type { CommandBatch } from '../../commands/batch.ts';
import type { CommandResult } from '../../commands/command-result.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { ServiceError } from '../../errors.ts';
import { FileSkipped } from '../../sandbox.ts';
import type { Call } from '../call.ts';
import type { Emitter } from '../events/emitter.ts';
import type { ExecuteOptions } from '../service.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import type { BatchResults } from './batch-results.ts';
import { chainLength } from './chains.ts';
import type { CommandExecutor } from './command-executor.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transaction.ts';

/** Largest result that is told as it comes, bytes of JSON: it is kept for readers that come later. */
const MOST_TOLD_BYTES = 1024 * 1024;

/** A batch that runs. */
export interface Whole {
  readonly session: Session;
  readonly batch: CommandBatch;
  /** Of the batch. */
  readonly run: CommandRun;
  readonly call: Call;
  readonly options: ExecuteOptions;
  /** Tells of the batch; null where nothing is told. */
  readonly emitter: Emitter | null;
  readonly results: BatchResults;
  readonly executor: CommandExecutor;
  readonly transaction: Transaction | null;
}

/** Runs the commands of one batch, until they have ended or it is cancelled. */
export class BatchParts {
  readonly #whole: Whole;
  readonly #call: Call;

  constructor(whole: Whole) {
    this.#whole = whole;
    // A command has an answer however the batch ends: it is cancelled by the batch's run.
    this.#call = { ...whole.call, signal: new AbortController().signal };
  }

  async inOrder(): Promise<void> {
    const { batch, run, results, transaction } = this.#whole;
    const { commands, stopOnError } = batch;
    const chained = (from: number) => (stopOnError ? chainLength(commands, from) : 0);
    // Otherwise it begins with the first commands.
    if (chained(0) === 0 || transaction?.isWhole) await transaction?.begin();
    for (let next = 0; next < commands.length && !run.cancelled.aborted; ) {
      const length = chained(next);
      if (length > 0) await this.#chain(next, next + length);
      else await this.#run(next, commands[next]!);
      if (stopOnError && results.failure !== undefined) return;
      next += Math.max(length, 1);
    }
  }

  async #chain(from: number, to: number): Promise<void> {
    const { batch, session, emitter, run, transaction } = this.#whole;
    const { commands } = batch;
    const { files } = session.lease.sandbox;
    // A chain begins as a whole: see CommandExecutor.execute.
    await emitter?.caughtUp(run.cancelled);
    const running: Promise<unknown>[] = [];
    files.inChain(() => {
      transaction?.begin();
      for (let i = from; i < to; i++) running.push(this.#run(i, commands[i]!));
      // What ends the batch well may end its transaction too, unless one of these fails.
      if (to === commands.length) transaction?.commitInChain();
    });
    await allOf([transaction?.begin(), ...running]);
  }

  async sideBySide(most: number): Promise<void> {
    const { batch, run, transaction } = this.#whole;
    await transaction?.begin();
    const left = batch.commands.entries();
    const work = async () => {
      for (const [i, command] of left) {
        if (run.cancelled.aborted) return;
        await this.#run(i, command);
      }
    };
    await allOf(Array.from({ length: Math.min(most, batch.commands.length) }, work));
  }

  async #run(index: number, command: CommandRequest): Promise<void> {
    const { results, emitter, batch, run } = this.#whole;
    const came = await this.#resultOf(command);
    if (!came) return;
    const { result, bytes } = results.add(index, came);
    run.notices?.progress(results.count, batch.commands.length, command.type);
    emitter?.progress(
      {
        step: results.count,
        total: batch.commands.length,
        message: command.type,
        index,
        ...(bytes <= MOST_TOLD_BYTES && { result }),
      },
      Math.min(bytes, MOST_TOLD_BYTES),
    );
  }

  /** Null for a command that was not done. */
  async #resultOf(command: CommandRequest): Promise<CommandResult | null> {
    const { session, options, executor, run, transaction } = this.#whole;
    const { stream = false, interactive = false } = options;
    const startedAt = performance.now();
    try {
      const { result } = await executor.execute(session, command, this.#call, {
        stream,
        interactive,
        batch: run,
        onTaken: taken => transaction?.add(taken),
      });
      return result;
    } catch (error) {
      if (error instanceof FileSkipped) return null;
      if (!(error instanceof ServiceError)) throw error;
      return {
        type: command.type,
        id: command.id ?? crypto.randomUUID(),
        success: false,
        result: null,
        error: error.message,
        durationMs: Math.round(performance.now() - startedAt),
      };
    }
  }
}

/** Waits for all, also where one fails. */
async function allOf(running: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const end of await Promise.allSettled(running)) if (end.status === 'rejected') throw end.reason;
}
