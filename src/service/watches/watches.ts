import { workspacePath } from '../../commands/paths.ts';
import { ServiceError } from '../../errors.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { Call } from '../call.ts';
import type { OpenedWatch, Watches, WatchWish } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import type { StatusBoard } from '../status/status-board.ts';
import { type OnFileEvent, Watch } from './watch.ts';

interface OpenWatch {
  readonly watch: Watch;
  readonly owner: string | null;
}

/** Watches of all sessions' files. */
export class FileWatches implements Watches {
  readonly #sessions: SessionManager;
  readonly #board: StatusBoard;
  readonly #open = new Map<string, OpenWatch>();
  /** Of each session, those being opened included. */
  readonly #counts = new Map<Session, number>();

  constructor(sessions: SessionManager, board: StatusBoard) {
    this.#sessions = sessions;
    this.#board = board;
  }

  async open(
    { sessionId, path = '.', recursive = false }: WatchWish,
    call: Call,
    tell?: OnFileEvent,
    until?: AbortSignal,
  ): Promise<OpenedWatch> {
    const session = this.#sessions.find(sessionId, call);
    const target = workspacePath(path, 'path');
    session.touch();
    const leave = this.#enter(session);
    const { owner } = call;
    const onEvent: OnFileEvent = event => {
      this.#board.pass(owner, event);
      return tell?.(event);
    };
    try {
      const watch = await Watch.open(session, { path: target, recursive }, onEvent, call.signal);
      this.#open.set(watch.id, { watch, owner });
      const stop = () => watch.stop();
      until?.addEventListener('abort', stop, { once: true });
      if (until?.aborted) stop();
      void watch.ended.finally(() => {
        until?.removeEventListener('abort', stop);
        this.#open.delete(watch.id);
        leave();
      });
      return { watchId: watch.id, start: () => watch.start() };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async close(watchId: string, { owner }: Call): Promise<void> {
    const open = this.#open.get(watchId);
    if (!open || open.owner !== owner) throw new ServiceError('NOT_FOUND', `Watch not found: ${watchId}`);
    open.watch.stop();
    await open.watch.ended;
  }

  #enter(session: Session): () => void {
    const count = this.#counts.get(session) ?? 0;
    if (count >= LIMITS.watches)
      throw new ServiceError('CONFLICT', `The session has ${LIMITS.watches} watches, the most allowed`);
    this.#counts.set(session, count + 1);
    return () => {
      const left = (this.#counts.get(session) ?? 1) - 1;
      if (left > 0) this.#counts.set(session, left);
      else this.#counts.delete(session);
    };
  }
}
