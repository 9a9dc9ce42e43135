import type { Sandbox } from '../sandbox.ts';
import type { Ecosystem } from './ecosystem.ts';
import type { InstallRequest } from './install-request.ts';
import { sandboxFor, workOf } from './install-sandbox.ts';
import { joinLayers } from './join-layers.ts';
import type { Layer } from './layer.ts';
import { idFor } from './layer-id.ts';
import type { LayerStore } from './layer-store.ts';
import type { RegistryProcesses, RegistrySettings } from './registry-processes.ts';
import { alone, keysOf, resolved } from './request-keys.ts';
import { betterIn, type Installing, partIn } from './sandbox-install.ts';

/** Layers that wait to be made better; some hold what was installed in a sandbox's memory. */
const MAX_BETTERING = 4;
/** For all of that, from the first layer on. */
const BETTER_MS = 5 * 60_000;

/** Makes better layers of what was installed, one after the other, for those who ask from then on. Nobody waits for it: what goes wrong leaves the layer that there is. */
export class BetterLayers {
  readonly #store: LayerStore;
  readonly #settings: RegistrySettings;
  readonly #registries: Pick<RegistryProcesses, 'begin'>;
  #waiting = 0;
  /** The end of the last of them. */
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: {
    store: LayerStore;
    settings: RegistrySettings;
    registries: Pick<RegistryProcesses, 'begin'>;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#registries = parts.registries;
  }

  /**
   * Makes parts of all versions that a layer holds, each in a sandbox in which nothing else is, and puts them together. What goes wrong leaves
   * the parts that were made.
   */
  async joinOfParts(
    request: InstallRequest,
    layer: Layer,
    pins: readonly string[],
    what: Installing,
    toolLayer: Layer | null,
  ): Promise<void> {
    using _kept = toolLayer && this.#store.use(toolLayer);
    await this.#inBackground(async signal => {
      await using open = new AsyncDisposableStack();
      const parts: Layer[] = [];
      for (const pin of pins) {
        const part = await this.#part(request, pin, what, toolLayer, signal, open);
        parts.push(part);
      }
      const keyOf = await keysOf(request, this.#settings);
      const keys = [...this.#store.keysOf(layer), keyOf(resolved(pins))];
      await (parts.length === 1
        ? this.#store.answer(keys, parts[0]!)
        : joinLayers(this.#store, keys, parts, null));
    });
  }

  /** One version by itself, of which layers are put together: nothing else was in the sandbox that it comes from. */
  async #part(
    request: InstallRequest,
    pin: string,
    what: Installing,
    toolLayer: Layer | null,
    signal: AbortSignal,
    open: AsyncDisposableStack,
  ): Promise<Layer> {
    const key = (await keysOf(request, this.#settings))(alone(pin));
    const kept = this.#store.find(key, 0);
    if (kept) return this.#store.keep(kept, open);
    signal.throwIfAborted();
    await using written = this.#registries.begin(workOf(request.ecosystem), request.ecosystem.name, () => {});
    await using sandbox = await sandboxFor(request);
    signal.throwIfAborted();
    if (toolLayer) await sandbox.bring(this.#store.placeOf(toolLayer));
    const end = () => void sandbox.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      const done = await partIn(sandbox, written.registry, what, pin);
      const sure = done.installed.every(({ digest }) => digest !== null);
      const { holds, parts } = request.ecosystem.resolution!;
      if (!sure || !holds(done, [pin])) throw new Error(`it is not ${pin}`);
      // It is what was asked for here, of which nobody had told anything.
      const made = { ...done, id: idFor(key, done.id), sure: parts!.versionIn(pin) };
      const part = this.#store.keep(await this.#store.add([key], written.directory, made), open);
      // Nobody changes any more what is looked for.
      await written.registry[Symbol.asyncDispose]();
      await this.#store.describe(part, pin, parts!.about).catch(() => {});
      return part;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /** One after the other, and not too many of them. */
  async #inBackground(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_BETTERING) return;
    this.#waiting++;
    const before = this.#tail;
    const over = Promise.withResolvers<void>();
    this.#tail = over.promise;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), BETTER_MS);
    try {
      await before;
      await work(stop.signal);
    } finally {
      clearTimeout(timer);
      this.#waiting--;
      over.resolve();
    }
  }

  /** Does what makes a better layer of what lies in a sandbox still, and closes what is open. */
  async inSandbox(
    layer: Layer,
    ecosystem: Ecosystem,
    sandbox: Sandbox,
    open: AsyncDisposableStack,
  ): Promise<void> {
    await using _open = open;
    if (ecosystem.later.length === 0) return;
    await this.#inBackground(async signal => {
      // The time of what waits goes by too.
      signal.throwIfAborted();
      signal.addEventListener('abort', () => void sandbox.close(), { once: true });
      await using written = this.#registries.begin(workOf(ecosystem), ecosystem.name, () => {});
      const done = await betterIn(sandbox, written.registry, ecosystem);
      const keys = this.#store.keysOf(layer);
      // What it came from is known of the first alone.
      const better = { ...done, id: idFor(layer.id, done.id), installed: layer.installed };
      await this.#store.add(keys, written.directory, better);
    });
  }
}
