import { shuttingDown } from '../../errors.ts';
import type { Denial } from '../../network/egress/protocol.ts';
import type { StatusResponse } from '../../schemas/execution.ts';
import { statusOf } from '../../schemas/outcome.ts';
import type { Ledger } from '../admission/ledger.ts';
import { Emitter } from '../events/emitter.ts';
import { EventLog } from '../events/event-log.ts';
import { toldDenial } from '../network/told-denial.ts';
import type { EventStream } from '../service.ts';
import { RunNotices } from '../status/run-notices.ts';
import type { StatusBoard } from '../status/status-board.ts';
import { statusResponse } from '../status-response.ts';
import type { StoredExecution } from '../store/store.ts';
import { CommandRun } from '../supervision/command-run.ts';
import type { RunHandle } from '../supervision/program.ts';
import type { OneShotResult } from './one-shot.ts';

/** A one-shot from its acceptance until its result is on disk. */
export class Execution {
  readonly id = crypto.randomUUID();
  readonly owner: string | null;
  /** What its door wants to know of it later. */
  readonly note: string | null;
  readonly log: EventLog;
  readonly emitter: Emitter;
  /** Handle for cancel and `process.*`. */
  readonly run = new CommandRun(undefined, false);
  /** Stores that there is such a run, where it is not stored from its beginning on. */
  storing: NodeJS.Timeout | undefined;
  readonly #notices: RunNotices;
  #status: StatusResponse;
  readonly #ended = Promise.withResolvers<StatusResponse>();
  #firstReader: AbortController | undefined;

  constructor(parts: {
    owner: string | null;
    language: string;
    runtimeType: string;
    replayBytes: number;
    /** Counts what logs hold. */
    logs: Ledger;
    board: StatusBoard;
    note?: string | undefined;
  }) {
    const { owner, language, runtimeType, replayBytes, logs, board, note = null } = parts;
    const origin = { executionId: this.id, sessionId: null, commandId: null };
    this.owner = owner;
    this.note = note;
    this.log = new EventLog(replayBytes, { ledger: logs, owner });
    this.emitter = new Emitter(this.log, origin);
    this.#notices = new RunNotices(board, owner, origin);
    const createdAt = new Date().toISOString();
    this.#status = statusResponse(
      { executionId: this.id, status: 'pending', createdAt, language, runtimeType },
      null,
    );
  }

  /** A reader will come for sure: until then the run is not ahead of it, and nothing that it tells is dropped. */
  expectReader(): void {
    this.#firstReader = new AbortController();
    this.log.read(0, this.#firstReader.signal);
  }

  /** Starts reading its events after a number. */
  read(afterSeq: number, signal: AbortSignal): EventStream {
    const stream = this.log.read(afterSeq, signal);
    this.#firstReader?.abort();
    return stream;
  }

  get status(): StatusResponse {
    return this.#status;
  }

  /** Resolves when it has ended and that is on disk. */
  get ended(): Promise<StatusResponse> {
    return this.#ended.promise;
  }

  /** The server ended it to shut down. */
  get cutOff(): boolean {
    return this.run.shutDown && this.run.status === 'cancelled';
  }

  started(handle: RunHandle): void {
    this.run.started(handle);
    this.#status = { ...this.#status, status: 'running', startedAt: new Date().toISOString() };
    this.emitter.started();
    this.#notices.started();
  }

  /** Its program could not have something of its network. */
  denied(denial: Denial): void {
    const told = toldDenial(denial);
    this.emitter.denied(told);
    this.#notices.denied(told);
  }

  /** Builds the final state, which is not published yet. */
  finish(result: OneShotResult): StatusResponse {
    const { runResult } = result;
    this.run.finished(statusOf(runResult.outcome), { runResult });
    this.emitter.flush();
    const status = statusResponse(
      {
        ...this.#status,
        status: statusOf(runResult.outcome),
        compile: result.compile,
        files: [...result.files],
        missingFiles: [...result.missingFiles],
        completedAt: new Date().toISOString(),
      },
      runResult,
    );
    return this.cutOff ? { ...status, message: shuttingDown().message } : status;
  }

  /** The stored form, with the `execution.completed` event that is about to be published. */
  storable(final: StatusResponse): StoredExecution {
    const { status, exitCode } = final;
    const seq = this.log.lastSeq + 1;
    const params = { executionId: this.id, sessionId: null, commandId: null, seq, status, exitCode };
    return {
      owner: this.owner,
      status: final,
      note: this.note,
      filesBytes: final.files.reduce((sum, { size = 0 }) => sum + size, 0),
      events: [...this.log.events(), { method: 'execution.completed', params }],
    };
  }

  /** Publishes the final state to everybody who waits. */
  notify(final: StatusResponse): void {
    this.#status = final;
    this.emitter.completed(final.status, final.exitCode);
    this.#firstReader?.abort();
    this.log.end();
    this.#notices.completed(final.status, final.exitCode, final.outcome ?? undefined);
    this.#ended.resolve(final);
  }
}
