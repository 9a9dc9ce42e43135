import { ServiceError } from '../errors.ts';
import type { Call } from './call.ts';
import type { Status, StatusMessage, StatusWish } from './service.ts';
import type { SessionManager } from './sessions/session-manager.ts';
import { matchingNames } from './status/pattern.ts';
import type { StatusBoard } from './status/status-board.ts';

/** Most readers at once: of one client, and of all. Each may have a mebibyte of events waiting. */
const MOST_OF_CLIENT = 256;
const MOST = 1024;

/** Lets clients follow what happens. */
export class StatusReaders implements Status {
  readonly #board: StatusBoard;
  readonly #sessions: SessionManager;
  readonly #open = new Map<string, number>();
  #all = 0;

  constructor(board: StatusBoard, sessions: SessionManager) {
    this.#board = board;
    this.#sessions = sessions;
  }

  async follow(
    { subscribe, sessionId }: StatusWish,
    call: Call,
    after?: string,
  ): Promise<AsyncIterable<StatusMessage>> {
    const names = matchingNames(subscribe);
    if (sessionId !== undefined) this.#sessions.find(sessionId, call);
    this.#enter(call);
    return this.#board.subscribe(call.owner, { names, sessionId }, after, call.signal);
  }

  /** Takes a place until the call's signal aborts. */
  #enter({ client, signal }: Call): void {
    const own = this.#open.get(client) ?? 0;
    if (own >= MOST_OF_CLIENT || this.#all >= MOST)
      throw new ServiceError('QUEUE_FULL', 'Too many clients follow what happens; try again later');
    this.#open.set(client, own + 1);
    this.#all++;
    const leave = () => {
      const left = (this.#open.get(client) ?? 1) - 1;
      if (left > 0) this.#open.set(client, left);
      else this.#open.delete(client);
      this.#all--;
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }
}
