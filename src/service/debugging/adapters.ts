import { logAbout } from '../../call-log.ts';
import { ServiceError } from '../../errors.ts';
import { InstallFailed } from '../../packages/install-failed.ts';
import { STORE } from '../../packages/layer.ts';
import type { Installed, Packages } from '../../packages/packages.ts';
import { checkPinned, pinned } from '../../packages/pinned.ts';
import type { PinnedWheel } from '../../toolchains/debugger.ts';
import type { Call } from '../call.ts';
import type { Session } from '../sessions/session.ts';

/** Where debug adapters come from. */
export interface Adapters {
  /**
   * Has a session's sandbox show an adapter; resolves to the directory inside in which it lies.
   * @throws {ServiceError} RUNTIME_UNAVAILABLE with the reason
   */
  show(session: Session, wheel: PinnedWheel, call: Call): Promise<string>;
}

/**
 * Adapters as layers of packages of their own, which are installed when they are first wanted and stay with a session until it ends. A layer
 * is looked for at each start: once it is compiled there is a better one, from which an adapter starts in half the time.
 */
export class InstalledAdapters implements Adapters {
  readonly #packages: Pick<Packages, 'install' | 'show'>;
  /** By the names of layers. */
  readonly #shown = new WeakMap<Session, Map<string, Promise<void>>>();

  constructor(packages: Pick<Packages, 'install' | 'show'>) {
    this.#packages = packages;
  }

  async show(session: Session, wheel: PinnedWheel, call: Call): Promise<string> {
    const { runtime, language, toolchain, request, sandbox } = session.lease;
    const { ecosystem, list } = pinned(wheel);
    const where = { runtime, language, toolchain, dockerImage: request.dockerImage, client: call.client };
    let installed: Installed | undefined;
    try {
      // Whoever else wants it meanwhile waits for the same; it is kept, so that it is of use in any case.
      const log = logAbout(call.log, { sessionId: session.id });
      installed = await this.#packages.install({ ecosystem, list, log, build: null, ...where });
      const { layer } = installed;
      checkPinned(layer, wheel);
      const shown = this.#shown.get(session) ?? new Map<string, Promise<void>>();
      this.#shown.set(session, shown);
      const known = shown.get(layer.name);
      const showing = known ?? this.#packages.show(layer, ecosystem, sandbox);
      shown.set(layer.name, showing);
      showing.catch(() => shown.delete(layer.name));
      await showing;
      // Once for each session.
      if (known) installed[Symbol.dispose]();
      else void session.ended.then(() => installed?.[Symbol.dispose]());
      return `${STORE}/${layer.name}/${ecosystem.name}`;
    } catch (error) {
      installed?.[Symbol.dispose]();
      if (!(error instanceof InstallFailed)) throw error;
      const { reason, message, words } = error;
      const details = [message, words].filter(Boolean).join('\n');
      const sentence = `${wheel.project} ${wheel.version} can't be brought here (${reason})`;
      throw new ServiceError('RUNTIME_UNAVAILABLE', sentence, { reason, details });
    }
  }
}
