import type { CellValue, RunResult } from '../../commands/command.ts';
import type { ExecutionStatus } from '../../schemas/outcome.ts';
import type { EventLog } from '../events/event-log.ts';
import type { RunNotices } from '../status/run-notices.ts';
import type { RunHandle } from './program.ts';

/** V8 stores two bytes per character unless the whole text is Latin-1. */
export const CHAR_BYTES = 2;

/** What came of a run, as {@link CommandRun} keeps it. */
interface RunEnd {
  readonly runResult?: RunResult | undefined;
  readonly cell?: CellValue | undefined;
  readonly error?: string | undefined;
}

/**
 * One run, of a session's command or a one-shot, during and for a while after it: what cancel, status and
 * `process.*` act on.
 */
export class CommandRun {
  readonly executionId = crypto.randomUUID();
  readonly commandId: string;
  readonly background: boolean;
  /** It may run as long as its session: nobody waits for its end. */
  readonly endless: boolean;
  readonly createdAt = new Date();
  startedAt: Date | null = null;
  completedAt: Date | null = null;
  /** Null while it runs. */
  status: ExecutionStatus | null = null;
  /** Null while it runs, and for a command without a program. */
  runResult: RunResult | null = null;
  /** What its cell came to; null while it runs, and for a command without a cell. */
  cell: CellValue | null = null;
  /** Why it did not succeed, in a sentence. */
  message: string | null = null;
  /** Tells of it, where somebody may be told. */
  notices: RunNotices | undefined;
  /** Its events while it runs, where they are apart from its session's. */
  log: EventLog | null = null;
  /** The server cut it off to shut down. */
  shutDown = false;
  readonly #cancel = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** Undefined once it has ended: what reached its program would be kept for as long as this is. */
  #handle: PromiseWithResolvers<RunHandle | null> | undefined = Promise.withResolvers();
  /** Of a batch, those of its commands that run. */
  readonly #parts = new Set<CommandRun>();
  #program: RunHandle | null = null;

  constructor(commandId: string | undefined, background: boolean, endless = false) {
    this.commandId = commandId ?? crypto.randomUUID();
    this.background = background;
    this.endless = endless;
  }

  /** Memory taken by what it came to, beside what it printed; bytes. */
  get keptBytes(): number {
    const { name = '', message = '', traceback = '' } = this.cell?.error ?? {};
    const chars = name.length + message.length + traceback.length + (this.message?.length ?? 0);
    return chars * CHAR_BYTES + (this.cell?.resultBytes ?? 0);
  }

  get running(): boolean {
    return this.status === null;
  }

  /** The program that runs; null before and after. */
  get program(): RunHandle | null {
    return this.#program;
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** `shutdown`: the server cuts it off. */
  cancel(by: 'client' | 'shutdown' = 'client'): void {
    if (by === 'shutdown' && !this.#cancel.signal.aborted) this.shutDown = true;
    this.#cancel.abort();
    for (const part of [...this.#parts]) part.cancel();
  }

  /** Has another run cancelled with it, until the returned function is called. A listener would be looked for among all those of a batch. */
  cancels(part: CommandRun): () => void {
    this.#parts.add(part);
    if (this.#cancel.signal.aborted) part.cancel();
    return () => this.#parts.delete(part);
  }

  /** Called when the program runs; `handle` reaches it. */
  started(handle: RunHandle | null): void {
    this.startedAt ??= new Date();
    this.notices?.started();
    this.#program = handle;
    this.#handle?.resolve(handle);
  }

  finished(status: ExecutionStatus, { runResult, cell, error }: RunEnd): void {
    this.completedAt = new Date();
    this.status = status;
    this.runResult = runResult ? bare(runResult) : null;
    this.cell = cell ?? null;
    this.message = error ?? null;
    this.notices?.completed(status, runResult?.exitCode ?? null, runResult?.outcome);
    this.#program = null;
    this.#ended.resolve();
    this.#handle?.resolve(null);
    this.#handle = undefined;
  }

  /** Resolves once the program runs; null for a command that has none, or has ended. */
  async handle(): Promise<RunHandle | null> {
    return this.#handle?.promise ?? null;
  }
}

/** A copy of what is common to programs and cells. */
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
