import type { StatusResponse } from '../../schemas/execution.ts';
import { errorTypeOf, statusOf } from '../../schemas/outcome.ts';
import { Emitter } from '../events/emitter.ts';
import { EventLog } from '../events/event-log.ts';
import { CommandRun } from '../sessions/command-run.ts';
import type { StoredExecution } from '../store/store.ts';
import type { RunHandle } from '../supervision/program.ts';
import type { OneShotResult } from './one-shot.ts';

/** A one-shot from the moment it was taken until it is on disk. */
export class Execution {
  readonly id = crypto.randomUUID();
  readonly owner: string | null;
  readonly log: EventLog;
  readonly emitter: Emitter;
  /** What cancel and `process.*` find. */
  readonly run = new CommandRun(undefined, false);
  #status: StatusResponse;
  readonly #ended = Promise.withResolvers<StatusResponse>();

  constructor(owner: string | null, language: string, runtimeType: string, replayBytes: number) {
    this.owner = owner;
    this.log = new EventLog(replayBytes);
    this.emitter = new Emitter(this.log, { executionId: this.id, sessionId: null, commandId: null });
    this.#status = pending(this.id, language, runtimeType);
  }

  get status(): StatusResponse {
    return this.#status;
  }

  /** Resolves when it has ended and that is on disk. */
  get ended(): Promise<StatusResponse> {
    return this.#ended.promise;
  }

  started(handle: RunHandle): void {
    this.run.started(handle);
    this.#status = { ...this.#status, status: 'running', startedAt: new Date().toISOString() };
    this.emitter.started();
  }

  /** Its final state, not yet told to anybody. */
  finish(result: OneShotResult): StatusResponse {
    const { runResult } = result;
    this.run.finished(statusOf(runResult.outcome), runResult);
    this.emitter.flush();
    return {
      ...this.#status,
      status: statusOf(runResult.outcome),
      outcome: runResult.outcome,
      errorType: errorTypeOf(runResult.outcome),
      exitCode: runResult.exitCode,
      signal: runResult.signal,
      stdout: runResult.stdout,
      stderr: runResult.stderr,
      stdoutBytes: runResult.stdoutBytes,
      stderrBytes: runResult.stderrBytes,
      truncated: runResult.truncated,
      durationMs: runResult.durationMs,
      timeout: statusOf(runResult.outcome) === 'timeout',
      usage: runResult.usage,
      compile: result.compile,
      files: [...result.files],
      missingFiles: [...result.missingFiles],
      completedAt: new Date().toISOString(),
    };
  }

  /** As it is kept: with the event that will say it has ended. */
  storable(final: StatusResponse): StoredExecution {
    const { status, exitCode } = final;
    const seq = this.log.lastSeq + 1;
    const params = { executionId: this.id, sessionId: null, commandId: null, seq, status, exitCode };
    return {
      owner: this.owner,
      status: final,
      events: [...this.log.events(), { method: 'execution.completed', params }],
    };
  }

  /** Tells everybody who waits. */
  tell(final: StatusResponse): void {
    this.#status = final;
    this.emitter.completed(final.status, final.exitCode);
    this.log.end();
    this.#ended.resolve(final);
  }
}

/** What a request says about a run that has not begun. */
function pending(executionId: string, language: string, runtimeType: string): StatusResponse {
  return {
    executionId,
    status: 'pending',
    exitCode: null,
    stdout: '',
    stderr: '',
    durationMs: null,
    timeout: false,
    errorType: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    completedAt: null,
    language,
    runtimeType,
    outcome: null,
    signal: null,
    truncated: false,
    stdoutBytes: 0,
    stderrBytes: 0,
    usage: null,
    compile: null,
    files: [],
    missingFiles: [],
  };
}
