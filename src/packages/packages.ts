import { cancelled } from '../errors.ts';
import { FileRefused, type Sandbox } from '../sandbox.ts';
import type { Ecosystem } from './ecosystem.ts';
import { InstallFailed } from './install-failed.ts';
import { type InstallMetrics, InstallRecords } from './install-records.ts';
import type { InstallRequest } from './install-request.ts';
import { joinLayers } from './join-layers.ts';
import { Unjoinable } from './joined-tree.ts';
import { allowsAll, isSureOf, KnownLists } from './known-lists.ts';
import { type Layer, STORE } from './layer.ts';
import { type Candidates, type InstallProgress, type InstallResult, LayerMaker } from './layer-maker.ts';
import { StoreFull } from './layer-room.ts';
import type { LayerStore } from './layer-store.ts';
import type { Picked } from './registry/protocol.ts';
import type { RegistryProcesses, RegistrySettings } from './registry-processes.ts';
import { type KeyOf, keysOf } from './request-keys.ts';
import type { Requirement } from './requirements.ts';
import { ToolLayers, type ToolSettings } from './tool-layers.ts';

/** For how long what was resolved is part of other lists, milliseconds: as long as bun takes what a registry has said for fresh. */
const FRESH_MS = 5 * 60_000;
const NO_ROOM =
  'With what is in use, its installer among it, it would take more than CODEBEAKER_PACKAGES_BYTES on this server';
const NEVER = new AbortController().signal;

export interface PackagesSettings extends RegistrySettings, ToolSettings {
  /** How long a list that pins nothing is answered by what was resolved before, milliseconds. */
  readonly ttlMs: number;
}

/** A way to wait for one's turn: resolves to what gives it back. */
export interface Turns {
  enter(client: string, signal: AbortSignal): Promise<() => void>;
}

/** To be disposed of when nothing shows the layer any more: until then it stays. */
export type Installed = InstallResult & Disposable;

interface Keyed {
  readonly key: string;
  readonly list: InstallRequest['list'];
}

/** A layer, and the request that it was found as an answer to. */
interface Found {
  readonly key: string;
  readonly layer: Layer;
}

interface Within {
  readonly parts: Layer[];
  readonly rest: InstallRequest['list'];
  /** Milliseconds since 1970. */
  readonly resolvedAt: number;
}

interface Flight {
  readonly promise: Promise<InstallResult>;
  /** Keeps the layer until all who wait have it. */
  held: Disposable | null;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: InstallProgress) => void>;
  waiting: number;
}

/**
 * Installs packages into layers, and shows them to sandboxes. A list that was installed before is a layer already; lists asked for at
 * once are installed once. This folder knows sandboxes and runtimes and no sessions; its folder `registry` is a process of its own
 * that talks to registries, and no byte of theirs is read by the server.
 */
export class Packages {
  readonly #store: LayerStore;
  readonly #settings: PackagesSettings;
  readonly #turns: Turns;
  readonly #records: InstallRecords;
  readonly #maker: LayerMaker;
  readonly #tools: ToolLayers;
  readonly #lists = new KnownLists();
  readonly #flights = new Map<string, Flight>();

  constructor(parts: {
    store: LayerStore;
    settings: PackagesSettings;
    turns: Turns;
    registries: Pick<RegistryProcesses, 'begin' | 'pick'>;
    metrics: InstallMetrics;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#turns = parts.turns;
    this.#records = new InstallRecords(parts.metrics);
    this.#maker = new LayerMaker(parts);
    this.#tools = new ToolLayers(parts);
  }

  /**
   * Resolves once the packages are in a layer; `signal` ends the waiting, and the install when nobody waits for it any more.
   * @throws {InstallFailed | ServiceError} CANCELLED
   */
  async install(
    request: InstallRequest,
    signal: AbortSignal = NEVER,
    onProgress: (progress: InstallProgress) => void = () => {},
  ): Promise<Installed> {
    const keyOf = await keysOf(request, this.#settings);
    const key = keyOf(textsOf(request.list));
    const kept = this.#find({ key, list: request.list }, request.ecosystem, keyOf);
    if (kept) {
      if (kept.key === key) this.#lists.note(key, request.list, keyOf);
      this.#records.cached(request, kept.layer);
      return this.#hold(kept.layer, true);
    }
    if (signal.aborted) throw cancelled();
    if (this.#flights.has(key)) this.#records.shared(request);
    const flight = this.#flight(key, request);
    flight.listeners.add(onProgress);
    flight.waiting++;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(cancelled());
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { layer, cached } = await Promise.race([flight.promise, aborted.promise]);
      this.#lists.note(key, request.list, keyOf);
      return this.#hold(layer, cached);
    } finally {
      signal.removeEventListener('abort', abort);
      flight.listeners.delete(onProgress);
      if (--flight.waiting === 0) {
        // Who asks from now on has another.
        this.#forget(key, flight);
        flight.stop.abort();
        flight.held?.[Symbol.dispose]();
      }
    }
  }

  /**
   * The layer of a list, or of one that asked for no less, where it is what this one asks for: it stays a layer of that list, as old as it is. Null
   * where it was resolved before `since`, milliseconds since 1970.
   */
  #find({ key, list }: Keyed, ecosystem: Ecosystem, keyOf: KeyOf, since = 0): Found | null {
    for (const known of [{ key, list }, ...this.#lists.looser(list, keyOf)]) {
      const layer = this.#store.find(known.key, Math.max(since, this.#since(known.list)));
      if (layer && (known.key === key || answers(list, layer, ecosystem))) return { key: known.key, layer };
    }
    return null;
  }

  #hold(layer: Layer, cached: boolean): Installed {
    return { ...this.#store.use(layer), layer, cached };
  }

  /** Shows a layer to the programs of a sandbox, in place of an earlier one of its ecosystem. @throws {SandboxLost} */
  async show(layer: Layer, ecosystem: Ecosystem, sandbox: Sandbox): Promise<void> {
    await sandbox.bring(this.#store.placeOf(layer));
    try {
      for (const [link, below] of Object.entries(ecosystem.links))
        await sandbox.files.link(link, `${STORE}/${layer.name}/${below}`);
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      throw new InstallFailed(
        'too_large',
        `The sandbox has no place for a link to the packages: ${error.message}`,
      );
    }
  }

  #flight(key: string, request: InstallRequest): Flight {
    const known = this.#flights.get(key);
    if (known) return known;
    const stop = new AbortController();
    const listeners: Flight['listeners'] = new Set();
    const onProgress = (progress: InstallProgress) => {
      for (const each of listeners) each(progress);
    };
    const promise = this.#inTurn(key, request, stop.signal, onProgress).then(result => {
      if (flight.waiting > 0) flight.held = this.#store.use(result.layer);
      return result;
    });
    const flight: Flight = { promise, held: null, stop, listeners, waiting: 0 };
    this.#flights.set(key, flight);
    const over = () => this.#forget(key, flight);
    promise.then(over, over);
    return flight;
  }

  #forget(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #inTurn(
    key: string,
    request: InstallRequest,
    stop: AbortSignal,
    onProgress: (progress: InstallProgress) => void,
  ): Promise<InstallResult> {
    const leave = await this.#turns.enter(request.client, stop);
    const record = this.#records.begin(request);
    try {
      const tool = request.ecosystem.tool(process.arch);
      if (!tool)
        throw new InstallFailed(
          'needs_build',
          `There is no ${request.ecosystem.manager} for ${process.arch}`,
        );
      using open = new DisposableStack();
      const toolLayer = tool.kind === 'inside' ? null : await this.#tools.layerOf(tool, open);
      const keyOf = await keysOf(request, this.#settings);
      const install = (byParts: boolean) => {
        const how = { toolLayer, byParts, candidates: this.#candidates(request, keyOf) };
        return this.#maker.make(key, request, how, stop, onProgress);
      };
      const rest = (list: InstallRequest['list'], restKey: string) => {
        const only = { ...request, list };
        const how = { toolLayer, byParts: true, candidates: this.#candidates(only, keyOf) };
        return this.#maker.make(restKey, only, how, stop, each => {
          if (each.phase !== 'ready') onProgress(each);
        });
      };
      const result =
        (await this.#joinOfLists(key, request, rest, onProgress)) ??
        (await install(true).catch(error => {
          if (error instanceof Unjoinable) return install(false);
          throw error;
        }));
      if (result.cached) this.#records.cached(request, result.layer);
      else record.installed(result.layer);
      return result;
    } catch (caught) {
      const error = caught instanceof StoreFull ? new InstallFailed('too_large', NO_ROOM) : caught;
      record.failed(error);
      throw error;
    } finally {
      leave();
    }
  }

  /**
   * Layers of lists that name the same packages in other words: one of them is what this list comes to, where that is the same version of each
   * of these. Null where there are none that were resolved a short while ago.
   */
  #candidates({ list, ecosystem, build }: InstallRequest, keyOf: KeyOf): Candidates | null {
    if (!ecosystem.picks || build) return null;
    const all = () =>
      this.#lists.alike(list, keyOf).flatMap(({ key }) => {
        const layer = this.#store.find(key, Date.now() - FRESH_MS);
        const isOne = layer?.whole && answers(list, layer, ecosystem);
        return isOne ? [{ layer, resolvedAt: this.#store.resolvedAt(key, layer) }] : [];
      });
    const isOf = ({ installed }: Layer, versions: Picked) =>
      list.every(({ name }, i) =>
        installed.some(each => ecosystem.spelled(each.name) === name && each.version === versions[i]),
      );
    if (all().length === 0) return null;
    // What was there before it was asked may have gone meanwhile.
    return { of: versions => all().find(({ layer }) => isOf(layer, versions)) };
  }

  /**
   * Puts a list together of layers of others within it, which were resolved a short while ago, and of what the rest comes to. Null where there is
   * none of those, or where one has something else than another at the same place: what they come to together is resolved then.
   */
  async #joinOfLists(
    key: string,
    request: InstallRequest,
    install: (rest: InstallRequest['list'], key: string) => Promise<InstallResult>,
    onProgress: (progress: InstallProgress) => void,
  ): Promise<InstallResult | null> {
    const { ecosystem, list, build } = request;
    if (!ecosystem.joinsLists || build || list.length < 2) return null;
    const keyOf = await keysOf(request, this.#settings);
    using open = new DisposableStack();
    const { parts, rest, resolvedAt: oldest } = this.#within(request, keyOf);
    for (const part of parts) this.#store.keep(part, open);
    if (parts.length === 0 || !agree(parts) || rest.some(each => clashes(each, parts, ecosystem)))
      return null;
    let resolvedAt = oldest;
    if (rest.length > 0) {
      const restKey = keyOf(textsOf(rest));
      const { layer } = await install(rest, restKey);
      this.#store.keep(layer, open);
      this.#lists.note(restKey, rest, keyOf);
      resolvedAt = Math.min(oldest, this.#store.resolvedAt(restKey, layer));
      parts.push(layer);
    }
    if (!agree(parts)) return null;
    try {
      const layer = await joinLayers(this.#store, [key], parts, null, resolvedAt);
      onProgress({ phase: 'ready', package: null, bytes: layer.bytes, totalBytes: layer.bytes });
      return { layer, cached: false };
    } catch (error) {
      if (error instanceof Unjoinable) return null;
      throw error;
    }
  }

  /** Layers of lists within one, the largest first, what of it is in none of them, and when the oldest of them was resolved. */
  #within({ list, ecosystem }: InstallRequest, keyOf: KeyOf): Within {
    const since = list.every(({ pinned }) => pinned) ? 0 : Date.now() - FRESH_MS;
    const single = list.map(each => ({ key: keyOf([each.text]), list: [each] }));
    const all = [...this.#lists.within(list, keyOf), ...single].sort(
      (one, other) => other.list.length - one.list.length,
    );
    const rest = new Map(list.map(each => [each.text, each]));
    const parts = new Set<Layer>();
    let resolvedAt = Date.now();
    for (const known of all) {
      if (!known.list.some(({ text }) => rest.has(text))) continue;
      const found = this.#find(known, ecosystem, keyOf, since);
      if (!found) continue;
      parts.add(found.layer);
      resolvedAt = Math.min(resolvedAt, this.#store.resolvedAt(found.key, found.layer));
      for (const { text } of known.list) rest.delete(text);
    }
    return { parts: [...parts], rest: [...rest.values()], resolvedAt };
  }

  #since(list: readonly Requirement[]): number {
    return list.every(({ pinned }) => pinned) ? 0 : Date.now() - this.#settings.ttlMs;
  }
}

/** Whether a layer of another list holds what this one allows: by more than what that list's install says, which may be what a package of it likes. */
const answers = (list: readonly Requirement[], layer: Layer, ecosystem: Ecosystem) =>
  allowsAll(list, layer, ecosystem) && isSureOf(list, layer, ecosystem);

/** Whether a layer holds what a requirement asks for in a version that this may not allow: it would lie where that lies. */
const clashes = (wanted: Requirement, layers: readonly Layer[], ecosystem: Ecosystem) =>
  layers.some(
    layer =>
      layer.installed.some(({ name }) => ecosystem.spelled(name) === wanted.name) &&
      !allowsAll([wanted], layer, ecosystem),
  );

/** Whether what lies at one place of several layers is the same in all. */
function agree(layers: readonly Layer[]): boolean {
  const known = new Map<string, string>();
  for (const { places } of layers) {
    if (!places) return false;
    for (const [place, what] of Object.entries(places)) {
      if ((known.get(place) ?? what) !== what) return false;
      known.set(place, what);
    }
  }
  return true;
}

const textsOf = (list: readonly Requirement[]) => list.map(({ text }) => text);
