import type { Ending } from '../commands/command.ts';
import type { ExecutionStatus } from '../schemas/outcome.ts';
import type { Port } from './program.ts';

/** One command of a session while it runs and for a while after: what cancel, status and `process.*` find. */
export class CommandRun {
  readonly executionId = crypto.randomUUID();
  readonly commandId: string;
  readonly background: boolean;
  readonly createdAt = new Date();
  startedAt: Date | null = null;
  completedAt: Date | null = null;
  /** How it went; null while it runs. */
  status: ExecutionStatus | null = null;
  /** How its program ended; null without one. */
  ending: Ending | null = null;
  readonly #cancel = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #port = Promise.withResolvers<Port | null>();

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

  /** The program runs; `port` is the way to it. */
  started(port: Port | null): void {
    this.startedAt ??= new Date();
    this.#port.resolve(port);
  }

  finished(status: ExecutionStatus, ending: Ending | null): void {
    this.completedAt = new Date();
    this.status = status;
    this.ending = ending && bare(ending);
    this.#ended.resolve();
    this.#port.resolve(null);
  }

  /** Resolves once the program runs; null for a command that has none, or has ended. */
  port(): Promise<Port | null> {
    return this.#port.promise;
  }
}

/** Without what a cell's ending has beside: its results went with the answer, and are too large to be kept. */
function bare(ending: Ending): Ending {
  const { outcome, exitCode, signal, stdout, stderr, stdoutBytes, stderrBytes } = ending;
  const { truncated, durationMs, usage } = ending;
  return {
    outcome,
    exitCode,
    signal,
    stdout,
    stderr,
    stdoutBytes,
    stderrBytes,
    truncated,
    durationMs,
    usage,
  };
}
