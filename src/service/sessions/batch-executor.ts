import type { BatchResult, CommandBatch } from '../../commands/batch.ts';
import { cancelled, ServiceError, shuttingDown } from '../../errors.ts';
import { FileRefused, SandboxLost } from '../../sandbox.ts';
import type { ExecutionStatus } from '../../schemas/outcome.ts';
import type { Call } from '../call.ts';
import { Emitter } from '../events/emitter.ts';
import type { BatchReply, ExecuteOptions } from '../service.ts';
import { CommandRun } from '../supervision/command-run.ts';
import { BatchParts, type Whole } from './batch-parts.ts';
import { BatchResults } from './batch-results.ts';
import { cancelledWith } from './cancelled-with.ts';
import { checkCommand } from './check-command.ts';
import type { CommandExecutor } from './command-executor.ts';
import type { Session } from './session.ts';
import type { Bounds } from './session-command-context.ts';
import { Transaction } from './transaction.ts';

interface Settings extends Bounds {
  readonly maxConcurrency: number;
}

export interface BatchOptions extends ExecuteOptions {
  /** Ends the session: its files could not be put back. */
  readonly lost: () => Promise<void>;
}

/** How a batch ended, beside what came of its commands. */
type Ending = Pick<BatchResult, 'rolledBack' | 'contextsRestarted'>;

const KEPT: Ending = { rolledBack: false, contextsRestarted: [] };
const COMMITTED: Ending = { ...KEPT };

/** Runs batches: several commands of a session as one, which can be asked for and cancelled as one. */
export class BatchExecutor {
  readonly #executor: CommandExecutor;
  readonly #settings: Settings;

  constructor(executor: CommandExecutor, settings: Settings) {
    this.#executor = executor;
    this.#settings = settings;
  }

  /**
   * A transactional batch must be the only command of its session that runs.
   * @throws {ServiceError} what is wrong with a command, or CONFLICT where a transaction has no room, before any is run; CANCELLED when
   * `call.signal` aborts, and then everything is as it was if it is transactional
   */
  async run(session: Session, batch: CommandBatch, call: Call, options: BatchOptions): Promise<BatchReply> {
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
    const leave = cancelledWith(call.signal, run);
    options.onTaken?.(run);
    const finish = async (failure: string | undefined) => {
      await session.clearFiles();
      const status = statusAfter(run, failure);
      run.finished(status, { error: failure });
      session.finish(run);
      call.log.debug({ executionId, status, completed: results.count }, 'ended');
      const message = failure === undefined ? {} : { message: failure };
      return emitter?.completed(status, null, message, run.keptBytes) ?? null;
    };
    const whole = { session, batch, run, call, options, emitter, results, executor: this.#executor };
    let ending: Ending;
    try {
      ending = await (batch.transactional
        ? this.#transact(whole, options.lost)
        : this.#act({ ...whole, transaction: null }));
    } catch (error) {
      await finish(error instanceof ServiceError ? error.message : 'Internal error');
      throw error;
    } finally {
      leave();
    }
    const completedSeq = await finish(results.failure);
    if (run.shutDown) throw shuttingDown();
    // What was committed is told, whoever does not want to hear it.
    if (call.signal.aborted && ending !== COMMITTED) throw cancelled();
    const { all, count, failure } = results;
    const success = failure === undefined && count === length && !ending.rolledBack;
    return { result: { success, results: [...all], completed: count, ...ending }, completedSeq };
  }

  async #transact(whole: Omit<Whole, 'transaction'>, lost: BatchOptions['lost']): Promise<Ending> {
    const { session, batch, run, results } = whole;
    const transaction = new Transaction(session, batch.commands);
    const [acted] = await Promise.allSettled([this.#act({ ...whole, transaction })]);
    const all = results.failure === undefined && results.count === batch.commands.length;
    try {
      await transaction.begun();
      const commits =
        (await transaction.committed) || (acted.status === 'fulfilled' && all && !run.cancelled.aborted);
      if (commits) await transaction.commit();
      const contextsRestarted = commits ? [] : await transaction.rollBack();
      if (acted.status === 'rejected') throw acted.reason;
      return commits ? COMMITTED : { rolledBack: true, contextsRestarted };
    } catch (error) {
      if (!(error instanceof FileRefused || error instanceof SandboxLost)) throw error;
      void lost();
      if (run.shutDown) throw shuttingDown();
      const message = `The session is over: its files could not be put back: ${error.message}`;
      throw new ServiceError('SESSION_CLOSED', message, { reason: 'lost' });
    }
  }

  async #act(whole: Whole): Promise<Ending> {
    const parts = new BatchParts(whole);
    whole.run.started(null);
    whole.emitter?.started();
    await (whole.batch.parallel ? parts.sideBySide(this.#settings.maxConcurrency) : parts.inOrder());
    return KEPT;
  }
}

function statusAfter(run: CommandRun, failure: string | undefined): ExecutionStatus {
  if (run.cancelled.aborted) return 'cancelled';
  return failure === undefined ? 'completed' : 'failed';
}
