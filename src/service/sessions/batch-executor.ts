import type { BatchResult, CommandBatch } from '../../commands/batch.ts';
import { cancelled, notSupported, shuttingDown } from '../../errors.ts';
import type { ExecutionStatus } from '../../schemas/outcome.ts';
import type { Call } from '../call.ts';
import { Emitter } from '../events/emitter.ts';
import type { BatchReply, ExecuteOptions } from '../service.ts';
import { CommandRun } from '../supervision/command-run.ts';
import { BatchParts } from './batch-parts.ts';
import { BatchResults } from './batch-results.ts';
import { checkCommand } from './check-command.ts';
import type { CommandExecutor } from './command-executor.ts';
import type { Session } from './session.ts';
import type { Bounds } from './session-command-context.ts';

interface Settings extends Bounds {
  readonly maxConcurrency: number;
}

/** Runs batches: several commands of a session as one, which can be asked for and cancelled as one. */
export class BatchExecutor {
  readonly #executor: CommandExecutor;
  readonly #settings: Settings;

  constructor(executor: CommandExecutor, settings: Settings) {
    this.#executor = executor;
    this.#settings = settings;
  }

  /** @throws {ServiceError} what is wrong with a command, before any is run; CANCELLED when `call.signal` aborts */
  async run(session: Session, batch: CommandBatch, call: Call, options: ExecuteOptions): Promise<BatchReply> {
    if (batch.transactional) throw notSupported('transactional', 'is not supported yet');
    const followed = options.stream === true;
    for (const command of batch.commands) await checkCommand(command, session, this.#settings, followed);
    const run = new CommandRun(undefined, false);
    session.begin(run, 0);
    const { executionId, commandId } = run;
    const { length } = batch.commands;
    call.log.debug({ sessionId: session.id, executionId, commandId, commands: length }, 'taken');
    const origin = { executionId, sessionId: session.id, commandId };
    const emitter = options.stream ? new Emitter(session.log, origin) : null;
    using results = new BatchResults(length, session.memory.reads, session.owner);
    using _cancels = cancelledWith(call.signal, run);
    options.onTaken?.(run);
    let failure: string | undefined = 'Internal error';
    let completedSeq: number | null = null;
    try {
      run.started(null);
      emitter?.started();
      const parts = new BatchParts({
        session,
        batch,
        run,
        call,
        options,
        emitter,
        results,
        executor: this.#executor,
      });
      await (batch.parallel ? parts.sideBySide(this.#settings.maxConcurrency) : parts.inOrder());
      failure = results.failure;
    } finally {
      await session.clearFiles();
      const status = statusAfter(run, failure);
      run.finished(status, { error: failure });
      session.finish(run);
      call.log.debug({ executionId, status, completed: results.count }, 'ended');
      const message = failure === undefined ? {} : { message: failure };
      completedSeq = emitter?.completed(status, null, message, run.keptBytes) ?? null;
    }
    if (run.shutDown) throw shuttingDown();
    if (call.signal.aborted) throw cancelled();
    return { result: resultOf(results), completedSeq };
  }
}

function cancelledWith(signal: AbortSignal, run: CommandRun): Disposable {
  const cancel = () => run.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', cancel) };
}

function statusAfter(run: CommandRun, failure: string | undefined): ExecutionStatus {
  if (run.cancelled.aborted) return 'cancelled';
  return failure === undefined ? 'completed' : 'failed';
}

function resultOf(results: BatchResults): BatchResult {
  const { all, count, failure } = results;
  return {
    success: failure === undefined && count === all.length,
    results: [...all],
    completed: count,
    rolledBack: false,
    contextsRestarted: [],
  };
}
