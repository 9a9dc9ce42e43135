import { LIMITS } from '../schemas/limits.ts';
import { Places } from './admission/places.ts';
import type { Call } from './call.ts';
import type { Status, StatusMessage, StatusWish } from './service.ts';
import type { SessionManager } from './sessions/session-manager.ts';
import { matchingNames } from './status/pattern.ts';
import type { StatusBoard } from './status/status-board.ts';

/** Lets clients follow what happens. */
export class StatusReaders implements Status {
  readonly #board: StatusBoard;
  readonly #sessions: SessionManager;
  readonly #places = new Places('clients follow what happens', LIMITS.statusReaders);

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
    const { owner, client, signal } = call;
    const leave = this.#places.enter(client);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    return this.#board.subscribe(owner, { names, sessionId }, after, signal);
  }
}
