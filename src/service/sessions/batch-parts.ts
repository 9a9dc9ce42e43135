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

/** Largest result that is told as it comes, bytes of JSON: it is kept for readers that come later. */
const MOST_TOLD_BYTES = 1024 * 1024;

interface Whole {
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
    const { batch, run, results, emitter } = this.#whole;
    const { commands, stopOnError } = batch;
    for (let next = 0; next < commands.length && !run.cancelled.aborted; ) {
      const length = chainLength(commands, next);
      // A chain begins as a whole: see CommandExecutor.execute.
      await emitter?.caughtUp(run.cancelled);
      await this.#together(next, length);
      if (stopOnError && results.failure !== undefined) return;
      next += length;
    }
  }

  async #together(from: number, length: number): Promise<void> {
    const { batch, session } = this.#whole;
    const { files } = session.lease.sandbox;
    const running: Promise<void>[] = [];
    const begin = () => {
      for (let i = from; i < from + length; i++) running.push(this.#run(i, batch.commands[i]!));
    };
    if (length > 1 && batch.stopOnError) files.inChain(begin);
    else begin();
    await allOf(running);
  }

  async sideBySide(most: number): Promise<void> {
    const { batch, run } = this.#whole;
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
    const { results, emitter, batch } = this.#whole;
    const came = await this.#resultOf(command);
    if (!came) return;
    const { result, bytes } = results.add(index, came);
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
    const { session, options, executor, run } = this.#whole;
    const { stream = false, interactive = false } = options;
    const startedAt = performance.now();
    try {
      return (await executor.execute(session, command, this.#call, { stream, interactive, batch: run }))
        .result;
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
async function allOf(running: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(running)) if (end.status === 'rejected') throw end.reason;
}
