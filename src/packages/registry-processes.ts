import type { ConfinedSetup } from '../confined/protocol.ts';
import { LAYER_BOUNDS } from './layer.ts';
import type { LayerStore } from './layer-store.ts';
import type { Progress } from './registry/gateway.ts';
import type { IndexSettings } from './registry/index-settings.ts';
import type { EcosystemName, Picked, Wanted, Work } from './registry/protocol.ts';
import { PagesProcess, RegistryProcess } from './registry-process.ts';
import { GATEWAY } from './sandbox-install.ts';

/** From when one was used until another is started for the next install: who got its packages runs something now. Milliseconds. */
const PAUSE_MS = 200;
/** After which one that waits ends, milliseconds. */
const IDLE_MS = 60_000;

export interface RegistrySettings {
  readonly indexes: Readonly<Record<EcosystemName, IndexSettings>>;
  readonly deny: readonly string[];
  readonly minAgeDays: number;
  readonly certificates: string | null;
}

/** Users that processes may become. */
interface Uids {
  take(): number;
  give(uid: number): void;
}

/** The registry's process of one install. To be disposed of when what it has written was taken, or is not wanted. */
export interface BegunRegistry extends AsyncDisposable {
  readonly registry: RegistryProcess;
  /** What it writes is below. */
  readonly directory: string;
}

/** One that has heard of no install yet. */
interface Started {
  readonly registry: RegistryProcess;
  readonly directory: string;
  readonly uid: number | null;
}

/**
 * Processes that talk to registries, each for one install, and the one that keeps pages for them. To start one takes as long as much of
 * what is installed: where one was used, another is started that waits for the next install, for a while.
 */
export class RegistryProcesses {
  readonly #store: LayerStore;
  readonly #settings: RegistrySettings;
  readonly #users: Uids | null;
  readonly #pages: PagesProcess;
  readonly #idleMs: number;
  #waiting: Started | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** `users`: null where the server is no root. */
  constructor(parts: {
    store: LayerStore;
    settings: RegistrySettings;
    users: Uids | null;
    idleMs?: number;
  }) {
    this.#idleMs = parts.idleMs ?? IDLE_MS;
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#users = parts.users;
    this.#pages = new PagesProcess(this.#store.pages, () => {
      const uid = this.#users?.take() ?? null;
      const { indexes, deny, minAgeDays } = this.#settings;
      const setup = { ...this.#setup(uid), indexes, address: GATEWAY, deny, minAgeDays };
      return { setup, ended: () => uid !== null && this.#users?.give(uid) };
    });
  }

  /** One that works for this alone. */
  begin(work: Work, ecosystem: EcosystemName, onProgress: (progress: Progress) => void): BegunRegistry {
    // What is built may ask for any number of pages, which others would have to wait for.
    const shares = work.kind === 'install' && !work.build;
    const started = (shares && this.#take()) || this.#start(shares ? this.#pages.wanted() : null);
    const { registry } = started;
    const { indexes, deny, minAgeDays } = this.#settings;
    let directory: string;
    try {
      directory = this.#store.begin(started.directory);
    } catch (error) {
      this.#end(started).catch(() => {});
      throw error;
    }
    registry.begin({ index: indexes[ecosystem], deny, minAgeDays, bounds: LAYER_BOUNDS, work }, onProgress);
    return {
      registry,
      directory,
      [Symbol.asyncDispose]: async () => {
        await this.#end({ ...started, directory });
        if (shares) this.#startLater();
      },
    };
  }

  /** What an installer would take of each, as far as that is certain. */
  pick(ecosystem: EcosystemName, list: readonly Wanted[], signal: AbortSignal): Promise<Picked> {
    return this.#pages.pick(ecosystem, list, signal);
  }

  #start(pages: string | null): Started {
    const directory = this.#store.prepare();
    const { cache, described } = this.#store;
    const uid = this.#users?.take() ?? null;
    try {
      const registry = new RegistryProcess(this.#setup(uid), { directory, cache, described, pages });
      return { registry, directory, uid };
    } catch (error) {
      if (uid !== null) this.#users?.give(uid);
      throw error;
    }
  }

  #setup(uid: number | null): ConfinedSetup {
    const { indexes, certificates } = this.#settings;
    const secure = Object.values(indexes).every(({ url }) => url.startsWith('https:'));
    return { uid, certificates, secure };
  }

  async #end({ registry, directory, uid }: Started): Promise<void> {
    await registry[Symbol.asyncDispose]();
    // Its user is nobody's then, whatever becomes of its files.
    if (uid !== null) this.#users?.give(uid);
    await this.#store.discard(directory);
  }

  #take(): Started | null {
    const waiting = this.#waiting;
    if (!waiting) return null;
    clearTimeout(this.#timer);
    this.#waiting = null;
    this.#pages.wanted();
    return waiting;
  }

  #startLater(): void {
    if (this.#waiting) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      let started: Started;
      try {
        started = this.#start(this.#store.pages);
      } catch {
        // Such as on a disk that is full: the next install starts its own, and is told what is wrong.
        return;
      }
      this.#waiting = started;
      const end = () => {
        if (this.#waiting !== started) return;
        clearTimeout(this.#timer);
        this.#waiting = null;
        this.#end(started).catch(() => {});
      };
      started.registry.answer.then(end, end);
      this.#timer = setTimeout(end, this.#idleMs).unref();
    }, PAUSE_MS).unref();
  }
}
