import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../src/errors.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { MAX_LIFETIME_MINUTES } from '../../src/schemas/session.ts';
import { Ledger } from '../../src/service/admission/ledger.ts';
import type { Call, CallLog } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import { Interpreter } from './interpreter.ts';
import { Kernel } from './kernel.ts';
import { Refusal } from './refusal.ts';
import { availableSpecs, kernelInfo } from './specs.ts';

/** Most kernels of a key, or of all who come without one. */
const MOST_KERNELS = 100;
/** How often kernels that have clients are kept from ending for want of use, milliseconds. */
const KEEP_ALIVE_MS = 60_000;

/** What a client asks for. */
export interface Wish {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The kernels of this door, a session each. An entry is as long here as its session lives, which the service bounds. */
export class Kernels {
  readonly #service: Service;
  readonly #log: CallLog;
  readonly #all = new Map<string, Kernel>();
  /** Messages that wait for their turn. */
  readonly #held = new Ledger(LIMITS.kernelMessagesBytes);
  /** Being made, by whom. */
  readonly #making = new Map<string | null, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(service: Service, log: CallLog) {
    this.#service = service;
    this.#log = log;
    this.#timer = setInterval(() => this.#keepAlive(), KEEP_ALIVE_MS).unref();
  }

  /** @throws {Refusal | ServiceError} */
  async create({ name, environment }: Wish, call: Call): Promise<Kernel> {
    const languages = await this.#service.languages();
    const spec = availableSpecs(languages).find(each => each.name === name);
    if (!spec) throw new Refusal(400, `No such kernel named ${name.slice(0, 100)}`);
    const leave = this.#enter(call.owner);
    try {
      let ended = false;
      let kernel: Kernel | undefined;
      const onEnded = () => {
        ended = true;
        if (kernel) this.#drop(kernel);
      };
      const { language, runtimeType } = spec;
      const config = {
        language,
        ...(runtimeType !== undefined && { runtimeType }),
        environment,
        maxLifetimeMinutes: MAX_LIFETIME_MINUTES,
      };
      const session = await this.#service.sessions.create(config, call, { onEnded });
      const { sessionId } = session;
      const id = randomUUID();
      // Outlives the request.
      const own: Call = {
        id,
        owner: call.owner,
        client: call.owner ?? id,
        lane: null,
        signal: new AbortController().signal,
        log: this.#log,
      };
      kernel = new Kernel({
        spec,
        owner: call.owner,
        interpreter: new Interpreter({
          service: this.#service,
          sessionId,
          isPython: language === 'python',
          call: own,
        }),
        info: async () => kernelInfo(spec, await this.#service.languages(), session.runtimeType),
        end: async () => {
          await this.#service.sessions.close(sessionId, own).catch(unlessGone);
        },
        held: this.#held,
        log: this.#log,
      });
      if (ended) kernel.ended();
      else this.#all.set(kernel.id, kernel);
      return kernel;
    } finally {
      leave();
    }
  }

  /** One of the caller's. @throws {Refusal} 404, also for another key's */
  find(id: string, { owner }: Pick<Call, 'owner'>): Kernel {
    const kernel = this.#all.get(id);
    if (kernel?.owner === owner) return kernel;
    throw noSuchKernel(id);
  }

  /** By its id alone, which only those know who may use it. */
  lookUp(id: string): Kernel | undefined {
    return this.#all.get(id);
  }

  /** The caller's, in the order they were made. */
  of({ owner }: Pick<Call, 'owner'>): Kernel[] {
    return [...this.#all.values()].filter(kernel => kernel.owner === owner);
  }

  /** Ends it; nobody finds it any more. */
  async remove(kernel: Kernel): Promise<void> {
    this.#drop(kernel);
    await kernel.end();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #drop(kernel: Kernel): void {
    this.#all.delete(kernel.id);
    kernel.ended();
  }

  /** @throws {Refusal} 429 */
  #enter(owner: string | null): () => void {
    const making = this.#making.get(owner) ?? 0;
    if (this.of({ owner }).length + making >= MOST_KERNELS)
      throw new Refusal(429, `Too many kernels: ${MOST_KERNELS} are running, the most allowed`);
    this.#making.set(owner, making + 1);
    return () => {
      const left = (this.#making.get(owner) ?? 1) - 1;
      if (left > 0) this.#making.set(owner, left);
      else this.#making.delete(owner);
    };
  }

  #keepAlive(): void {
    for (const kernel of this.#all.values())
      kernel.keepAlive().catch(error => {
        if (!(error instanceof ServiceError)) this.#log.error({ err: error }, 'a kernel was not kept alive');
      });
  }
}

export const noSuchKernel = (id: string) => new Refusal(404, `Kernel does not exist: ${id.slice(0, 100)}`);

function unlessGone(error: unknown): void {
  if (!(error instanceof ServiceError)) throw error;
}
