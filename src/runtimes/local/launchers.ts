import { LauncherClient, LauncherUnable } from './launcher-client.ts';
import { findToolchain } from './toolchain.ts';

/** The one launcher of a server: started when first needed, and again after it has died. */
export class Launchers {
  readonly #instance: string;
  #current: Promise<LauncherClient> | undefined;
  #closed = false;

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** @throws {LauncherUnable} */
  async get(): Promise<LauncherClient> {
    const current = await this.#current?.catch(() => undefined);
    if (current && !current.dead) return current;
    if (this.#closed) throw new LauncherUnable('the server is shutting down', null);
    this.#current = this.#start();
    return this.#current;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const current = await this.#current?.catch(() => undefined);
    await current?.close();
  }

  async #start(): Promise<LauncherClient> {
    if (process.platform !== 'linux') {
      throw new LauncherUnable(`bubblewrap needs Linux, and this is ${process.platform}`, null);
    }
    const toolchain = findToolchain();
    if (!toolchain) throw new LauncherUnable('the npm package bun has no binary', 'npm rebuild bun');
    return LauncherClient.start(toolchain, this.#instance);
  }
}
