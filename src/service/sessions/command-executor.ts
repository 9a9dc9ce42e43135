import type { CommandOutcome } from '../../commands/command.ts';
import { DEFAULT_CONTEXT } from '../../commands/execute-code.ts';
import { type ParsedCommand, parseCommand } from '../../commands/parse.ts';
import { renamed, ServiceError } from '../../errors.ts';
import { FileRefused, ProgramNotFound, SandboxLost } from '../../sandbox.ts';
import { type ExecutionStatus, statusOf } from '../../schemas/outcome.ts';
import type { FairQueue } from '../admission/fair-queue.ts';
import { Emitter } from '../events/emitter.ts';
import { KernelFailed } from '../kernels/kernel-client.ts';
import type { Call, ExecuteOptions, ExecuteReply } from '../service.ts';
import { CommandRun } from './command-run.ts';
import type { Session } from './session.ts';
import { type Bounds, SessionCommandContext } from './session-command-context.ts';

/** Runs the commands of sessions: understood, under limits, told to the log, answered. */
export class CommandExecutor {
  readonly #queue: FairQueue;
  readonly #bounds: Bounds;

  constructor(queue: FairQueue, bounds: Bounds) {
    this.#queue = queue;
    this.#bounds = bounds;
  }

  async execute(session: Session, raw: unknown, call: Call, options: ExecuteOptions): Promise<ExecuteReply> {
    const parsed = parseCommand(raw);
    const run = new CommandRun(parsed.id, parsed.params.background === true);
    session.begin(run);
    const emitter = options.stream || run.background ? emitterOf(session, run) : null;
    const context = new SessionCommandContext({
      session,
      run,
      emitter,
      interactive: options.interactive === true && !run.background,
      client: call.client,
      queue: this.#queue,
      bounds: this.#bounds,
    });
    const startedAt = performance.now();
    const cancel = () => run.cancel();
    call.signal.addEventListener('abort', cancel, { once: true });
    if (call.signal.aborted) cancel();
    let seq: number | null = null;
    try {
      // Results are not paced as output is: without this, cell after cell they would pile up for a reader that stands still.
      await emitter?.caughtUp(run.cancelled);
      const done = await attempt(parsed, context);
      if (call.signal.aborted) throw new ServiceError('CANCELLED', done.error ?? 'Cancelled');
      if (context.background) {
        void context.background.then(runResult =>
          this.#finish(session, run, emitter, { result: null, ...(runResult && { runResult }) }),
        );
      } else seq = await this.#finish(session, run, emitter, done);
      const result = {
        id: run.commandId,
        success: done.error === undefined,
        result: done.result,
        error: done.error ?? null,
        durationMs: Math.round(performance.now() - startedAt),
      };
      return { result, completedSeq: seq };
    } catch (error) {
      await this.#finish(session, run, emitter, { result: null, error: 'failed' });
      throw error;
    } finally {
      call.signal.removeEventListener('abort', cancel);
    }
  }

  async #finish(
    session: Session,
    run: CommandRun,
    emitter: Emitter | null,
    done: CommandOutcome<unknown>,
  ): Promise<number | null> {
    if (!run.running) return null;
    if (!session.config.persistFilesystem) await session.lease.sandbox.files.clear().catch(() => {});
    const status = statusAfter(done, run.cancelled);
    run.finished(status, done.runResult ?? null);
    session.finish(run);
    return emitter?.completed(status, done.runResult?.exitCode ?? null) ?? null;
  }
}

function statusAfter({ runResult, error }: CommandOutcome<unknown>, cancelled: AbortSignal): ExecutionStatus {
  if (cancelled.aborted) return 'cancelled';
  if (runResult) return statusOf(runResult.outcome);
  return error === undefined ? 'completed' : 'failed';
}

/** The key of the queue in which a connection's commands to one session wait for each other; see Sessions.orderKey. */
export function orderKey(sessionId: string, raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null) return sessionId;
  const { params } = raw as { params?: unknown };
  const fields = (typeof params === 'object' && params !== null ? params : raw) as Record<string, unknown>;
  if (fields.background === true) return null;
  const { context } = fields;
  const beside = typeof context === 'string' && context !== DEFAULT_CONTEXT;
  return beside ? `${sessionId}\0${context}` : sessionId;
}

function emitterOf(session: Session, run: CommandRun): Emitter {
  return new Emitter(session.log, {
    executionId: run.executionId,
    sessionId: session.id,
    commandId: run.commandId,
  });
}

/** What a command could not do is an answer; what the service could not do is thrown. */
async function attempt(
  { command, params, at }: ParsedCommand,
  context: SessionCommandContext,
): Promise<CommandOutcome<unknown>> {
  try {
    return await command.run(params, context);
  } catch (error) {
    if (error instanceof FileRefused || error instanceof ProgramNotFound || error instanceof KernelFailed)
      return { result: null, error: error.message };
    if (error instanceof SandboxLost)
      return { result: null, error: `The sandbox was lost: ${error.message}` };
    // Commands know their own fields, not where a client wrote them.
    if (error instanceof ServiceError && error.field) throw renamed(error, `${at}.${error.field}`);
    throw error;
  }
}
