import type { Tree } from '../../launcher/protocol.ts';
import { findInterpreters } from '../interpreters.ts';
import { LibraryUnable, type SandboxLibrary } from '../library.ts';
import { LauncherClient, type LauncherOptions, LauncherUnable } from './launcher-client.ts';

/** A launcher that ends sooner than this is replaced when it is needed, not at once. */
const SHORT_LIFE_MS = 1000;

export interface LaunchersOptions extends Omit<LauncherOptions, 'library'> {
  readonly library: SandboxLibrary;
}

/** The one launcher of a server: started when first needed, and again after it has died. */
export class Launchers {
  readonly #options: LaunchersOptions;
  readonly #trees: () => readonly Tree[];
  #current: Promise<LauncherClient> | undefined;
  #closed = false;

  /** `trees`: what its sandboxes see beside the usual; throws LauncherUnable while that is not ready. */
  constructor(options: LaunchersOptions, trees: () => readonly Tree[] = () => []) {
    this.#options = options;
    this.#trees = trees;
  }

  /** @throws {LauncherUnable} */
  async get(): Promise<LauncherClient> {
    const before = this.#current;
    const current = await before?.catch(() => undefined);
    if (current && !current.dead) return current;
    if (this.#closed) throw new LauncherUnable('the server is shutting down', null);
    // Of several who wait, one starts it.
    if (this.#current === before || this.#current === undefined) this.#current = this.#start();
    return this.#current;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const current = await this.#current?.catch(() => undefined);
    await current?.close();
  }

  async #start(): Promise<LauncherClient> {
    if (process.platform !== 'linux') {
      throw new LauncherUnable(`local sandboxes need Linux, and this is ${process.platform}`, null);
    }
    const interpreters = findInterpreters();
    if (!interpreters) throw new LauncherUnable('the npm package bun has no binary', 'npm rebuild bun');
    const trees = [...interpreters.trees, ...this.#trees()];
    const { library, ...options } = this.#options;
    const { directory } = await library.get().catch(error => {
      throw error instanceof LibraryUnable ? new LauncherUnable(error.message, error.remedy) : error;
    });
    const client = await LauncherClient.start({ ...interpreters, trees }, { ...options, library: directory });
    const startedAt = performance.now();
    void client.exited.then(() => this.#replace(performance.now() - startedAt));
    return client;
  }

  /** What a killed launcher leaves, the next one sweeps: it starts at once, unless the last one did not live. */
  #replace(livedMs: number): void {
    if (!this.#closed && livedMs > SHORT_LIFE_MS) this.get().catch(() => {});
  }
}
