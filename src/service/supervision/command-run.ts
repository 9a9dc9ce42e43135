import type { RunResult } from '../../commands/command.ts';
import type { ExecutionStatus } from '../../schemas/outcome.ts';
import type { RunHandle } from './program.ts';

/**
 * One run, of a session's command or a one-shot, during and for a while after it: what cancel, status and
 * `process.*` act on.
 */
export class CommandRun {
  readonly executionId = crypto.randomUUID();
  readonly commandId: string;
  readonly background: boolean;
  readonly createdAt = new Date();
  startedAt: Date | null = null;
  completedAt: Date | null = null;
  /** Null while it runs. */
  status: ExecutionStatus | null = null;
  /** Null while it runs, and for a command without a program. */
  runResult: RunResult | null = null;
  readonly #cancel = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #handle = Promise.withResolvers<RunHandle | null>();

  constructor(commandId: string | undefined, background: boolean) {
    this.commandId = commandId ?? crypto.randomUUID();
    this.background = background;
  }

  get running(): boolean {
    return this.status === null;
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  cancel(): void {
    this.#cancel.abort();
  }

  /** Called when the program runs; `handle` reaches it. */
  started(handle: RunHandle | null): void {
    this.startedAt ??= new Date();
    this.#handle.resolve(handle);
  }

  finished(status: ExecutionStatus, runResult: RunResult | null): void {
    this.completedAt = new Date();
    this.status = status;
    this.runResult = runResult && bare(runResult);
    this.#ended.resolve();
    this.#handle.resolve(null);
  }

  /** Resolves once the program runs; null for a command that has none, or has ended. */
  handle(): Promise<RunHandle | null> {
    return this.#handle.promise;
  }
}

/** A copy without a cell's rich results: they were part of the answer and are too large to keep. */
function bare(result: RunResult): RunResult {
  const { outcome, exitCode, signal, stdout, stderr, stdoutBytes, stderrBytes } = result;
  const { truncated, durationMs, usage, stdoutEncoding, encodingErrors } = result;
  return {
    outcome,
    exitCode,
    signal,
    stdout,
    stderr,
    ...(stdoutEncoding && { stdoutEncoding }),
    ...(encodingErrors && { encodingErrors }),
    stdoutBytes,
    stderrBytes,
    truncated,
    durationMs,
    usage,
  };
}
