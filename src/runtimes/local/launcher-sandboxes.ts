import type {
  Forked,
  LauncherReply,
  LauncherRequest,
  NewLimits,
  StartLimits,
  StartOptions,
} from '../../launcher/protocol.ts';
import type { Sandboxes, SandboxListener } from '../../launcher/sandboxes.ts';

/** What the server may ask of local sandboxes, whether it has them itself or the launcher does. */
export type SandboxControl = Pick<
  Sandboxes,
  'start' | 'settled' | 'limitMemory' | 'resize' | 'fork' | 'place' | 'give' | 'stop'
>;

interface Pending {
  /** Answered in the order asked. */
  readonly limited: PromiseWithResolvers<boolean>[];
  /** Likewise. */
  readonly placed: PromiseWithResolvers<string | null>[];
  readonly stopped: PromiseWithResolvers<void>;
}

/** The sandboxes of a launcher that stays, which is told what to do line by line. */
export class LauncherSandboxes implements SandboxControl {
  readonly #send: (request: LauncherRequest) => void;
  readonly #listener: SandboxListener;
  readonly #pending = new Map<string, Pending>();
  #over = false;

  constructor(send: (request: LauncherRequest) => void, listener: SandboxListener) {
    this.#send = send;
    this.#listener = listener;
  }

  start(request: StartOptions & { id: string; key: string; limits: StartLimits }): void {
    const pending = { limited: [], placed: [], stopped: Promise.withResolvers<void>() };
    this.#pending.set(request.id, pending);
    this.#send({ op: 'start', ...request });
  }

  settled(id: string): void {
    this.#send({ op: 'settled', id });
  }

  limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#limit({ op: 'limitMemory', id, bytes });
  }

  resize(id: string, limits: NewLimits): Promise<boolean> {
    return this.#limit({ op: 'resize', id, ...limits });
  }

  async #limit(request: Extract<LauncherRequest, { op: 'limitMemory' | 'resize' }>): Promise<boolean> {
    const pending = this.#pending.get(request.id);
    if (!pending || this.#over) return false;
    const limited = Promise.withResolvers<boolean>();
    pending.limited.push(limited);
    this.#send(request);
    return limited.promise;
  }

  /** None is. */
  async fork(): Promise<Forked | null> {
    return null;
  }

  async place(id: string, pid: number): Promise<string | null> {
    const pending = this.#pending.get(id);
    if (!pending || this.#over) return null;
    const placed = Promise.withResolvers<string | null>();
    pending.placed.push(placed);
    this.#send({ op: 'place', id, pid });
    return placed.promise;
  }

  give(id: string, leaf: string): void {
    this.#send({ op: 'give', id, leaf });
  }

  async stop(id: string): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending || this.#over) return;
    this.#send({ op: 'stop', id });
    await pending.stopped.promise;
  }

  /** @throws {Error} on what a launcher that is ready does not say */
  onReply(reply: LauncherReply): void {
    if (reply.event === 'ready' || reply.event === 'unable') throw new Error(`it says ${reply.event} again`);
    const pending = this.#pending.get(reply.id);
    switch (reply.event) {
      case 'refused':
        return this.#listener.refused(reply.id, reply.problem);
      case 'ended':
        return this.#listener.ended(reply.id, reply.stderr);
      case 'limited':
        return pending?.limited.shift()?.resolve(reply.done);
      case 'placed':
        return pending?.placed.shift()?.resolve(reply.leaf);
      case 'stopped':
        this.#pending.delete(reply.id);
        return pending && settle(pending);
    }
  }

  /** The launcher is no more. */
  end(): void {
    this.#over = true;
    for (const pending of this.#pending.values()) settle(pending);
    this.#pending.clear();
  }
}

/** Nothing of it remains, and nothing that was asked is answered any more. */
function settle({ limited, placed, stopped }: Pending): void {
  for (const each of limited) each.resolve(false);
  for (const each of placed) each.resolve(null);
  stopped.resolve();
}
