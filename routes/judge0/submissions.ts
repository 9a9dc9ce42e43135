import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../src/errors.ts';
import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import type { Taken } from './attributes.ts';
import { Refusal } from './refusal.ts';
import { problemsOf } from './service-problems.ts';
import type { Submission, Wish } from './submission.ts';

/** What tells a note of this door from others'. */
interface Note {
  readonly judge0?: Wish;
}

/** A token is as long as an execution's id; what is longer names nothing. */
const TOKEN_LENGTH = randomUUID().length;

/** Submissions are executions of the service: a token is an execution's id, and what else is to be known lies beside its result. */
export class Submissions {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  /** Takes one and resolves to its token. @throws {Invalid | Refusal} */
  async take({ request, wish }: Submission, call: Call): Promise<string> {
    const note = JSON.stringify({ judge0: wish } satisfies Note);
    try {
      const started = await this.#service.executions.start(request, call, { live: false, note });
      return started.executionId;
    } catch (error) {
      throw problemsOf(error, wish.languageId);
    }
  }

  /** How one is doing. @throws {Refusal} 404 also for another key's, and for what is no submission */
  async find(token: string, call: Call): Promise<Taken> {
    const found = await this.findAny(token, call);
    if (found) return found;
    throw new Refusal(`submission with token ${token.slice(0, TOKEN_LENGTH)} doesn't exist`, 404);
  }

  /** Null where there is none. */
  async findAny(token: string, call: Call): Promise<Taken | null> {
    if (token.length !== TOKEN_LENGTH) return null;
    try {
      const { status, note } = await this.#service.executions.recall(token, call);
      const wish = note === null ? undefined : (JSON.parse(note) as Note).judge0;
      return wish ? { status, wish } : null;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** Resolves when it has ended. */
  async ended(token: string, wish: Wish, call: Call): Promise<Taken> {
    return { status: await this.#service.executions.wait(token, call), wish };
  }

  async cancel(token: string, call: Call): Promise<void> {
    await this.#service.executions.cancel(token, call);
  }
}
