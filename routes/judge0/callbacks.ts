import { FairQueue } from '../../src/service/admission/fair-queue.ts';
import type { Call } from '../../src/service/call.ts';
import { attributesOf, USUAL_ATTRIBUTES } from './attributes.ts';
import { CALLBACK_SECONDS, CALLBACK_TRIES } from './config-info.ts';
import type { Wish } from './submission.ts';
import type { Submissions } from './submissions.ts';

/** Callbacks on their way at once; each holds one result. */
const AT_ONCE = 8;
/** Callbacks that wait for those; more are not sent. */
const MOST_WAITING = 10_000;

/**
 * Sends results where clients want them, to origins that the operator has listed and nowhere else: the service stands where clients may not
 * reach. A restart forgets what waits.
 */
export class Callbacks {
  readonly #origins: ReadonlySet<string>;
  readonly #submissions: Submissions;
  readonly #queue = new FairQueue(AT_ONCE, MOST_WAITING);
  readonly #closing = new AbortController();

  constructor(origins: readonly string[], submissions: Submissions) {
    this.#origins = new Set(origins.map(origin => new URL(origin).origin));
    this.#submissions = submissions;
  }

  get on(): boolean {
    return this.#origins.size > 0;
  }

  /** Whether results may go there. */
  mayCall(text: string): boolean {
    const url = URL.parse(text);
    return url !== null && url.username === '' && url.password === '' && this.#origins.has(url.origin);
  }

  /** Sends the result of a submission when it has ended, if it has a URL for it. */
  follow(token: string, wish: Wish, call: Call): void {
    const { callback_url: url } = wish.settings;
    if (url === null) return;
    const asked = { ...call, signal: this.#closing.signal };
    this.#send(token, { wish, url, call: asked }).catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        call.log.info({ executionId: token, err: error }, 'a callback was not delivered');
    });
  }

  close(): void {
    this.#closing.abort();
  }

  async #send(token: string, { wish, url, call }: { wish: Wish; url: string; call: Call }): Promise<void> {
    await this.#submissions.ended(token, wish, call);
    const leave = await this.#queue.enter(call.client, call.signal);
    try {
      const taken = await this.#submissions.find(token, call);
      const body = JSON.stringify(
        attributesOf(taken, { names: USUAL_ATTRIBUTES, base64: true, languages: [] }),
      );
      for (let tries = 1; ; tries++) {
        try {
          return await put(url, body, call.signal);
        } catch (error) {
          if (tries >= CALLBACK_TRIES || call.signal.aborted) throw error;
        }
      }
    } finally {
      leave();
    }
  }
}

/** Any answer will do, and is not read; one that leads elsewhere is not followed. */
async function put(url: string, body: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(CALLBACK_SECONDS * 1000)]),
  });
  await response.body?.cancel();
}
