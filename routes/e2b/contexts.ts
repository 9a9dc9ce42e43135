import { randomUUID } from 'node:crypto';
import { USER_HOME } from '../../src/sandbox.ts';
import type { ContextLanguage } from './cell-languages.ts';
import { Refusal } from './refusals.ts';
import type { Sandbox } from './sandboxes.ts';

/** Most contexts of a sandbox at once: each is an interpreter once it has run a cell. */
const MOST_CONTEXTS = 64;
/** What clients expect to find before they have made any. */
const AT_FIRST: readonly ContextLanguage[] = ['python', 'javascript'];

/** An interpreter with state, as clients see it. */
export interface Context {
  /** Its name in the session too. */
  readonly id: string;
  readonly language: ContextLanguage;
  /** Where it starts. */
  readonly cwd: string;
}

interface Own {
  readonly all: Map<string, Context>;
  /** Those of cells that name a language at most. */
  readonly byDefault: Map<ContextLanguage, Context>;
}

/** The contexts of sandboxes, each for as long as its sandbox. Their interpreters start with their first cells. */
export class Contexts {
  readonly #own = new WeakMap<Sandbox, Own>();

  list(sandbox: Sandbox): Context[] {
    return [...this.#of(sandbox).all.values()];
  }

  /** @throws {Refusal} 429 */
  create(sandbox: Sandbox, language: ContextLanguage, cwd: string): Context {
    return add(this.#of(sandbox), language, cwd);
  }

  /** The one of cells that name no other. @throws {Refusal} 429 */
  ofLanguage(sandbox: Sandbox, language: ContextLanguage): Context {
    const own = this.#of(sandbox);
    const context = own.byDefault.get(language) ?? add(own, language, USER_HOME);
    own.byDefault.set(language, context);
    return context;
  }

  /** @throws {Refusal} 404 */
  find(sandbox: Sandbox, id: string): Context {
    const context = this.#of(sandbox).all.get(id);
    if (context) return context;
    throw new Refusal(404, `Context ${id.slice(0, 100)} not found`);
  }

  remove(sandbox: Sandbox, { id, language }: Context): void {
    const { all, byDefault } = this.#of(sandbox);
    all.delete(id);
    if (byDefault.get(language)?.id === id) byDefault.delete(language);
  }

  #of(sandbox: Sandbox): Own {
    let own = this.#own.get(sandbox);
    if (!own) {
      own = { all: new Map(), byDefault: new Map() };
      for (const language of AT_FIRST) own.byDefault.set(language, add(own, language, USER_HOME));
      this.#own.set(sandbox, own);
    }
    return own;
  }
}

function add({ all }: Own, language: ContextLanguage, cwd: string): Context {
  if (all.size >= MOST_CONTEXTS)
    throw new Refusal(429, `a sandbox has at most ${MOST_CONTEXTS} contexts: remove one first`);
  const context = { id: randomUUID(), language, cwd };
  all.set(context.id, context);
  return context;
}
