import { CodeBeakerError, isUnanswered } from './codebeaker-error.ts';
import type { Http } from './http.ts';
import { Link } from './link.ts';
import { pause } from './pause.ts';
import { Unread } from './unread.ts';

/** Events that wait for their reader; beyond them it is told that some are lost. */
const MOST_WAITING = 10_000;

/** What is asked for, and what that tells. */
interface Asked<T> {
  readonly method: string;
  readonly params: object;
  /** Of each connection, what it says at once. */
  readonly begin: (answer: unknown, isAgain: boolean) => readonly T[];
  /** Of a notification, what it says. */
  readonly read: (method: string, params: unknown) => readonly T[];
  /** Whether nothing comes after it. */
  readonly isLast: (event: T) => boolean;
  /** In the place of those that are lost because their reader is slow. */
  readonly overflow: () => readonly T[];
  /** For how long a lost connection is made again, milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a session tells, over a connection of its own, which is made again where it is lost. Resolves when it is told; who does not read
 * up to the end leaves by `return()`, as a loop does.
 */
export async function told<T>(http: Http, asked: Asked<T>): Promise<AsyncGenerator<T, void>> {
  const events = follow(http, asked);
  // It stands at its beginning.
  await events.next();
  return events as AsyncGenerator<T, void>;
}

async function* follow<T>(http: Http, asked: Asked<T>): AsyncGenerator<T | undefined, void> {
  const { patience, signal } = asked;
  let [hasBegun, isOpen] = [false, false];
  let deadline = 0;
  for (let tries = 0; ; tries++) {
    let link: Link | undefined;
    const leave = () => link?.close();
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const waiting = new Unread(MOST_WAITING, asked.overflow);
      const take = (method: string, params: unknown) => waiting.push(asked.read(method, params));
      link = await Link.open(http, take, signal);
      link.lost.catch(error => waiting.end({ error }));
      await link.call(asked.method, asked.params, answer => waiting.push(asked.begin(answer, hasBegun)));
      const isFirst = !hasBegun;
      hasBegun = isOpen = true;
      tries = 0;
      if (isFirst) yield undefined;
      for await (const event of waiting) {
        yield event;
        if (asked.isLast(event)) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      // The session that was followed has ended.
      if (hasBegun && error instanceof CodeBeakerError && error.code === 'SESSION_NOT_FOUND') return;
      // The time runs from the loss.
      if (isOpen) deadline = Date.now() + patience;
      isOpen = false;
      if (!isUnanswered(error) || Date.now() >= deadline) throw error;
    } finally {
      signal?.removeEventListener('abort', leave);
      link?.close();
    }
    await pause(tries);
  }
}
