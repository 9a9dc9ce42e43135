import type { Outcome } from '../../schemas/outcome.ts';
import type { StatusEvent } from '../../schemas/status-events.ts';
import type { ToldDenial } from '../network/told-denial.ts';
import type { StatusBoard } from './status-board.ts';

type Completed = Extract<StatusEvent, { method: 'execution.completed' }>['params'];
/** The run that is told of. */
export type NoticeOf = Pick<Completed, 'executionId' | 'sessionId' | 'commandId'>;

/** Tells of one run: that it has started, how far it is, and how it ended. */
export class RunNotices {
  readonly #board: StatusBoard;
  readonly #owner: string | null;
  readonly #of: NoticeOf;
  #started = false;

  constructor(board: StatusBoard, owner: string | null, of: NoticeOf) {
    this.#board = board;
    this.#owner = owner;
    this.#of = of;
  }

  /** Told once. */
  started(): void {
    if (this.#started) return;
    this.#started = true;
    this.#board.tell(this.#owner, 'execution.started', this.#of);
  }

  progress(step: number, total: number, message: string): void {
    this.started();
    this.#board.tell(this.#owner, 'execution.progress', { ...this.#of, step, total, message });
  }

  denied(denial: ToldDenial): void {
    this.#board.tell(this.#owner, 'network.denied', { ...this.#of, ...denial });
  }

  completed(status: Completed['status'], exitCode: number | null, outcome: Outcome | undefined): void {
    this.started();
    const end = { status, exitCode, ...(outcome !== undefined && { outcome }) };
    this.#board.tell(this.#owner, 'execution.completed', { ...this.#of, ...end });
  }
}
