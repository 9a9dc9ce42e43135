import type { CommandOutcome } from '../../commands/command.ts';
import type { CommandResult } from '../../commands/command-result.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { isBackground } from '../../commands/is-background.ts';
import { ServiceError, shuttingDown } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import { FileSkipped } from '../../sandbox.ts';
import { type ExecutionStatus, statusOf } from '../../schemas/outcome.ts';
import type { Queue } from '../admission/queue.ts';
import type { Call, CallLog } from '../call.ts';
import { countRun } from '../count-run.ts';
import { Emitter } from '../events/emitter.ts';
import type { ExecuteOptions, ExecuteReply } from '../service.ts';
import { CommandRun } from '../supervision/command-run.ts';
import { attempt, outcomeOf } from './attempt.ts';
import { cancelledWith } from './cancelled-with.ts';
import { commandBytes } from './command-room.ts';
import type { Session } from './session.ts';
import { type Bounds, SessionCommandContext } from './session-command-context.ts';
import { whatCame } from './session-run.ts';

/** What a command is part of, when it was not sent alone. */
export interface PartOf extends Omit<ExecuteOptions, 'onTaken'> {
  /** The run of its batch. Cancelling that cancels the command, and nothing else does. */
  readonly batch?: CommandRun;
  readonly onTaken?: (run: CommandRun) => void;
}

interface Ended {
  readonly session: Session;
  readonly run: CommandRun;
  readonly emitter: Emitter | null;
  readonly log: CallLog;
  /** It was not sent alone. */
  readonly isPart: boolean;
}

/** Runs sessions' commands under limits and emits their events. */
export class CommandExecutor {
  readonly #queue: Queue;
  readonly #bounds: Bounds;
  readonly #metrics: Metrics;

  constructor(parts: { queue: Queue; bounds: Bounds; metrics: Metrics }) {
    this.#queue = parts.queue;
    this.#bounds = parts.bounds;
    this.#metrics = parts.metrics;
  }

  /** Begins before it returns, unless a reader of its events is behind: commands that are given in a row reach the sandbox in that row. */
  async execute(
    session: Session,
    request: CommandRequest,
    call: Call,
    options: PartOf,
  ): Promise<ExecuteReply> {
    const background = isBackground(request);
    const endless = background && request.type === 'execute_shell' && request.params.timeout === undefined;
    const run = new CommandRun(request.id, background, endless);
    session.begin(run);
    if (options.apart) run.log = session.logApart();
    options.onTaken?.(run);
    const { log } = call;
    const { executionId, commandId } = run;
    log.debug({ sessionId: session.id, executionId, commandId, command: request.type }, 'taken');
    const emitter = options.stream || options.apart || run.background ? emitterOf(session, run) : null;
    const context = new SessionCommandContext({
      session,
      run,
      emitter,
      interactive: options.interactive === true && (!run.background || options.apart === true),
      longTexts: options.longTexts === true,
      wallMs: options.wallMs,
      cell: options.cell,
      onStarted: options.onStarted,
      client: call.client,
      queue: this.#queue,
      bounds: this.#bounds,
      metrics: this.#metrics,
      log: call.log,
    });
    const ended = { session, run, emitter, log, isPart: options.batch !== undefined };
    const startedAt = performance.now();
    const leave = options.batch?.cancels(run) ?? cancelledWith(call.signal, run);
    let seq: number | null = null;
    try {
      // Results have no back-pressure of their own: without this wait, cell after cell they would pile up for
      // a reader that has stopped.
      const behind = emitter?.caughtUp(run.cancelled);
      if (behind) await behind;
      const done = await attempt(request, context);
      const refusal = refusalOf(done, run, call);
      if (context.background) {
        const { commands } = session.memory;
        const bytes = commandBytes(request);
        commands.add(session.owner, bytes);
        void context.background.catch(() => {}).then(() => commands.add(session.owner, -bytes));
        void this.#finishLater({ ...ended, isPart: false }, context.background, request, call);
      } else {
        const end = refusal ? { ...done, error: refusal.message } : done;
        seq = await this.#finish(ended, end);
      }
      if (refusal) throw refusal;
      const result: CommandResult = {
        type: request.type,
        id: run.commandId,
        success: done.error === undefined,
        result: done.result,
        error: done.error ?? null,
        durationMs: Math.round(performance.now() - startedAt),
      };
      return { result, completedSeq: seq };
    } catch (thrown) {
      const error = run.shutDown && isCancellation(thrown) ? shuttingDown() : thrown;
      if (thrown instanceof FileSkipped) session.skip(run);
      // What goes on in the background ends later.
      else if (!context.background) await this.#finish(ended, { result: null, error: inWords(error) });
      throw error;
    } finally {
      context.files[Symbol.dispose]();
      leave();
    }
  }

  /** Waits for the end of a command that has been answered. */
  async #finishLater(
    ended: Ended,
    background: Promise<CommandOutcome<unknown>>,
    request: CommandRequest,
    call: Call,
  ): Promise<void> {
    const { run, log } = ended;
    try {
      const done = await background.catch((error: unknown) => outcomeOf(error, request));
      const refusal = refusalOf(done, run, call);
      await this.#finish(ended, refusal ? { ...done, error: refusal.message } : done);
    } catch (error) {
      if (!(error instanceof ServiceError)) log.error({ err: error }, 'a background command failed');
      await this.#finish(ended, { result: null, error: inWords(error) });
    }
  }

  async #finish(
    { session, run, emitter, log, isPart }: Ended,
    done: CommandOutcome<unknown>,
  ): Promise<number | null> {
    if (!run.running) return null;
    if (!isPart) await session.clearFiles();
    const status = statusAfter(done, run.cancelled);
    const { runResult = null } = done;
    run.finished(status, done);
    // Nobody asks after a part without a program, and there may be a thousand of them.
    session.finish(run, { forget: isPart && runResult === null });
    log.debug({ executionId: run.executionId, status, outcome: runResult?.outcome }, 'ended');
    if (runResult) countRun(this.#metrics, session.lease, runResult);
    const { exitCode = null, outcome, signal } = runResult ?? {};
    const came = { ...(outcome && { outcome }), ...(signal && { signal }), ...whatCame(run) };
    const seq = emitter?.completed(status, exitCode, came, run.keptBytes) ?? null;
    run.log?.end();
    run.log = null;
    return seq;
  }
}

/** Why a command that was cut off has no answer; null for one that has. */
function refusalOf(
  { error, runResult }: CommandOutcome<unknown>,
  run: CommandRun,
  call: Call,
): ServiceError | null {
  if (run.shutDown && (error !== undefined || runResult?.outcome === 'cancelled')) return shuttingDown();
  return call.signal.aborted ? new ServiceError('CANCELLED', error ?? 'Cancelled') : null;
}

function isCancellation(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'CANCELLED';
}

function statusAfter({ runResult, error }: CommandOutcome<unknown>, cancelled: AbortSignal): ExecutionStatus {
  if (cancelled.aborted) return 'cancelled';
  if (runResult) return statusOf(runResult.outcome);
  return error === undefined ? 'completed' : 'failed';
}

function emitterOf(session: Session, run: CommandRun): Emitter {
  return new Emitter(run.log ?? session.log, {
    executionId: run.executionId,
    sessionId: session.id,
    commandId: run.commandId,
  });
}

function inWords(error: unknown): string {
  return error instanceof ServiceError ? error.message : 'Internal error';
}
