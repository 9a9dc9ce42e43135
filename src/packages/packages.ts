import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cancelled } from '../errors.ts';
import { limitsFor } from '../runtimes/default-limits.ts';
import { FileRefused, ProgramNotFound, type Sandbox, SandboxLost } from '../sandbox.ts';
import type { Done, Ecosystem, Tool } from './ecosystem.ts';
import { InstallFailed } from './install-failed.ts';
import { type InstallMetrics, InstallRecords } from './install-records.ts';
import type { InstallRequest } from './install-request.ts';
import { allowsAll, KnownLists } from './known-lists.ts';
import { type Layer, STORE } from './layer.ts';
import { type LayerStore, StoreFull, Unjoinable } from './layer-store.ts';
import type { Progress } from './registry/gateway.ts';
import { RegistryProcesses, type RegistrySettings } from './registry-processes.ts';
import type { Requirement } from './requirements.ts';
import { betterIn, GATEWAY, type Installing, installIn, type Known, partIn } from './sandbox-install.ts';

/** Of the sandbox that packages are installed in; its files may take half of the memory. */
const INSTALL_LIMITS = limitsFor({ memoryMB: 2048, cpus: 2 });
const INSTALL_MS = 120_000;
/** Layers that wait to be made better; some hold what was installed in a sandbox's memory. */
const MAX_BETTERING = 4;
/** For all of that, from the first layer on. */
const BETTER_MS = 5 * 60_000;
/** For how long what was resolved is part of other lists, milliseconds: as long as bun takes what a registry has said for fresh. */
const FRESH_MS = 5 * 60_000;
const NO_ROOM = 'What is in use leaves no room for other packages on this server';
const NEVER = new AbortController().signal;

export interface InstallProgress {
  readonly phase: Progress['phase'] | 'install' | 'verify' | 'ready';
  readonly package: string | null;
  readonly bytes: number | null;
  readonly totalBytes: number | null;
}

export interface PackagesSettings extends RegistrySettings {
  /** The service's own bun on this machine; null where it has none. */
  readonly bun: () => string | null;
  /** How long a list that pins nothing is answered by what was resolved before, milliseconds. */
  readonly ttlMs: number;
}

/** A way to wait for one's turn: resolves to what gives it back. */
export interface Turns {
  enter(client: string, signal: AbortSignal): Promise<() => void>;
}

/** To be disposed of when nothing shows the layer any more: until then it stays. */
export interface Installed extends Disposable {
  readonly layer: Layer;
  /** It was there already. */
  readonly cached: boolean;
}

/** The key of a list of requirements, for what else a request says. */
type KeyOf = (list: readonly string[]) => string;

type LayeredTool = Exclude<Tool, { kind: 'inside' }>;

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

type InstallResult = Pick<Installed, 'layer' | 'cached'>;

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
  readonly #registries: RegistryProcesses;
  readonly #lists = new KnownLists();
  readonly #flights = new Map<string, Flight>();
  /** Layers that are made better, one after the other, and the last of them. */
  #bettering = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: {
    store: LayerStore;
    settings: PackagesSettings;
    turns: Turns;
    /** For processes that talk to registries; null where the server is no root. */
    users: { take(): number; give(uid: number): void } | null;
    metrics: InstallMetrics;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#turns = parts.turns;
    this.#records = new InstallRecords(parts.metrics);
    this.#registries = new RegistryProcesses(parts);
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
    const keyOf = await this.#keys(request);
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
      if (layer && (known.key === key || allowsAll(list, layer, ecosystem))) return { key: known.key, layer };
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
      const toolLayer = tool.kind === 'inside' ? null : await this.#tool(tool);
      using _kept = toolLayer && this.#store.use(toolLayer);
      const install = (byParts: boolean) =>
        this.#install(key, request, { toolLayer, byParts }, stop, onProgress);
      const rest = (list: InstallRequest['list'], restKey: string) =>
        this.#install(restKey, { ...request, list }, { toolLayer, byParts: true }, stop, each => {
          if (each.phase !== 'ready') onProgress(each);
        });
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
    const keyOf = await this.#keys(request);
    using open = new DisposableStack();
    const { parts, rest, resolvedAt } = this.#within(request, keyOf);
    for (const part of parts) open.use(this.#store.use(part));
    if (parts.length === 0 || !agree(parts) || rest.some(each => clashes(each, parts, ecosystem)))
      return null;
    if (rest.length > 0) {
      const restKey = keyOf(textsOf(rest));
      const { layer } = await install(rest, restKey);
      open.use(this.#store.use(layer));
      this.#lists.note(restKey, rest, keyOf);
      parts.push(layer);
    }
    if (!agree(parts)) return null;
    try {
      const layer = await this.#join([key], parts, null, resolvedAt);
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

  async #install(
    key: string,
    request: InstallRequest,
    { toolLayer, byParts }: { toolLayer: Layer | null; byParts: boolean },
    stop: AbortSignal,
    onProgress: (progress: InstallProgress) => void,
  ): Promise<InstallResult> {
    const { ecosystem, dockerImage } = request;
    const onDownload = (progress: Progress) => onProgress(progress);
    const build = request.build !== null;
    const open = new AsyncDisposableStack();
    let sandbox: Sandbox | undefined;
    let late = false;
    const end = () => void sandbox?.close();
    const timer = setTimeout(() => {
      late = true;
      end();
    }, INSTALL_MS);
    stop.addEventListener('abort', end, { once: true });
    try {
      const { list } = request;
      const { checksums = null } = this.#settings.indexes[ecosystem.name];
      const written = open.use(this.#registries.begin(workOf(ecosystem, build), ecosystem.name, onDownload));
      sandbox = open.use(await this.#sandbox(request));

      if (late || stop.aborted) throw new SandboxLost('it was ended before it began');
      if (toolLayer) await sandbox.bring(this.#store.placeOf(toolLayer));
      const onPhase = (phase: 'install' | 'verify') =>
        onProgress({ phase, package: null, bytes: null, totalBytes: null });
      const what = { ecosystem, toolLayer: toolLayer?.name ?? '', list, checksums, build };
      const known = (pins: readonly string[]) => this.#known(request, pins, byParts && !build, open);
      const made = await installIn(sandbox, written.registry, { ...what, known }, onPhase);
      const onReady = ({ bytes }: Layer) =>
        onProgress({ phase: 'ready', package: null, bytes, totalBytes: bytes });
      if ('there' in made) {
        await this.#store.answer([key], made.there);
        onReady(made.there);
        closeUnseen(open);
        return { layer: made.there, cached: true };
      }
      const { pins, parts } = made;
      const done = made.done && { ...made.done, ...scoped(made.done.id, request) };
      const installed = [...(done?.installed ?? []), ...parts.flatMap(part => part.installed)];
      // Only what was installed is known by its versions, whatever was said before.
      const isKnown = pins !== null && ecosystem.resolution!.holds({ installed, asked: done?.asked }, pins);
      const keys = [key, ...(isKnown ? [(await this.#keys(request))(pins)] : [])];
      const isJoined = parts.length > 0;
      if (isJoined && done) await written.registry[Symbol.asyncDispose]();
      const layer = await (isJoined
        ? this.#join(keys, parts, done && { ...done, directory: written.directory })
        : this.#store.add(keys, written.directory, done!));
      onReady(layer);
      const better = async () => {
        // What a stranger's code has run in makes nothing for anybody once it was looked at.
        if (build) return undefined;
        if (isKnown && byParts && ecosystem.resolution?.parts)
          return done && this.#joinBetter(request, layer, pins, what, toolLayer);
        // What of it is in a sandbox is not all.
        return isJoined ? undefined : this.#better(layer, ecosystem, sandbox!, open.move());
      };
      better().catch((error: unknown) =>
        request.log.debug({ err: error, layer: layer.id }, 'a layer stays as it is'),
      );
      closeUnseen(open);
      return { layer, cached: false };
    } catch (error) {
      if (late) throw new InstallFailed('timeout', `It took more than ${INSTALL_MS / 1000} seconds`);
      if (stop.aborted) throw cancelled();
      if (error instanceof SandboxLost && error.outOfMemory)
        throw new InstallFailed('too_large', 'Installing the packages took more memory than it may');
      // Of the installer: no word about what the client asked for.
      if (error instanceof ProgramNotFound && dockerImage !== undefined)
        throw new InstallFailed('needs_build', `${ecosystem.manager} does not run in ${dockerImage}`);
      if (error instanceof FileRefused || error instanceof ProgramNotFound)
        throw new Error(`the installer can't be run: ${error.message}`, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      await open.disposeAsync();
    }
  }

  /** What there is of versions already; what is found is kept as long as `open` is. */
  async #known(
    request: InstallRequest,
    pins: readonly string[],
    byParts: boolean,
    open: AsyncDisposableStack,
  ): Promise<Known> {
    const keyOf = await this.#keys(request);
    const layer = this.#store.find(keyOf(pins), 0);
    if (layer) open.use(this.#store.use(layer));
    const parts = new Map<string, Layer>();
    const isSearched = !layer && byParts && request.ecosystem.resolution?.parts;
    for (const pin of isSearched ? pins : []) {
      const part = this.#store.find(keyOf([alone(pin)]), 0);
      if (!part) continue;
      open.use(this.#store.use(part));
      if (pins.length === 1) return { layer: part, parts };
      parts.set(pin, part);
    }
    return { layer, parts };
  }

  /** Puts a layer together of others, and of what was installed beside them by a process that has ended. @throws {StoreFull} */
  async #join(
    keys: readonly string[],
    parts: readonly Layer[],
    more: (Done & { directory: string }) | null,
    resolvedAt?: number,
  ): Promise<Layer> {
    const directory = await this.#store.joined(parts, more?.directory ?? null);
    try {
      const all = [...parts, ...(more ? [more] : [])];
      const ids = all.map(({ id }) => id).sort();
      // Lists may come to some of the same versions.
      const versions = all.flatMap(({ installed }) => installed);
      const installed = [...new Map(versions.map(each => [`${each.name}@${each.version}`, each])).values()];
      const twice = sizeOf(versions) - sizeOf(installed);
      const joined = {
        id: createHash('sha256').update(ids.join(' ')).digest('hex'),
        bytes: sizeOf(all) - twice,
        installed: installed.sort((one, other) => (one.name < other.name ? -1 : 1)),
        places: all.every(({ places }) => places)
          ? Object.assign({}, ...all.map(each => each.places))
          : undefined,
        parts: parts.map(({ name }) => name),
      };
      return await this.#store.add(keys, directory, joined, resolvedAt);
    } finally {
      this.#store.discard(directory).catch(() => {});
    }
  }

  /**
   * Makes parts of all versions that a layer holds, each in a sandbox in which nothing else is, and puts them together for those who ask
   * from then on. Nobody waits for it: what goes wrong leaves the layer that there is, and the parts that were made.
   */
  async #joinBetter(
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
        const part = await this.#part(request, pin, what, toolLayer, signal);
        open.use(this.#store.use(part));
        parts.push(part);
      }
      const keys = this.#store.keysOf(layer);
      await (parts.length === 1 ? this.#store.answer(keys, parts[0]!) : this.#join(keys, parts, null));
    });
  }

  /** One version by itself, of which layers are put together: nothing else was in the sandbox that it comes from. */
  async #part(
    request: InstallRequest,
    pin: string,
    what: Installing,
    toolLayer: Layer | null,
    signal: AbortSignal,
  ): Promise<Layer> {
    const key = (await this.#keys(request))([alone(pin)]);
    const kept = this.#store.find(key, 0);
    if (kept) return kept;
    signal.throwIfAborted();
    await using written = this.#registries.begin(workOf(request.ecosystem), request.ecosystem.name, () => {});
    await using sandbox = await this.#sandbox(request);
    if (toolLayer) await sandbox.bring(this.#store.placeOf(toolLayer));
    const end = () => void sandbox.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      const done = await partIn(sandbox, written.registry, what, pin);
      const sure = done.installed.every(({ digest }) => digest !== null);
      const { holds, parts } = request.ecosystem.resolution!;
      if (!sure || !holds(done, [pin])) throw new Error(`it is not ${pin}`);
      const part = await this.#store.add([key], written.directory, done);
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
    if (this.#bettering >= MAX_BETTERING) return;
    this.#bettering++;
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
      this.#bettering--;
      over.resolve();
    }
  }

  /**
   * Makes a better layer of what lies in a sandbox still, for those who ask from then on, and closes what is open. Nobody waits for it: what
   * goes wrong leaves the layer that there is.
   */
  async #better(
    layer: Layer,
    ecosystem: Ecosystem,
    sandbox: Sandbox,
    open: AsyncDisposableStack,
  ): Promise<void> {
    await using _open = open;
    if (ecosystem.later.length === 0) return;
    await this.#inBackground(async signal => {
      signal.addEventListener('abort', () => void sandbox.close(), { once: true });
      await using written = this.#registries.begin(workOf(ecosystem), ecosystem.name, () => {});
      const done = await betterIn(sandbox, written.registry, ecosystem);
      const keys = this.#store.keysOf(layer);
      // What it came from is known of the first alone.
      await this.#store.add(keys, written.directory, { ...done, installed: layer.installed });
    });
  }

  #sandbox({ language, toolchain, runtime, dockerImage }: InstallRequest): Promise<Sandbox> {
    const spec = { language, toolchain, purpose: 'program', limits: INSTALL_LIMITS, egress: null } as const;
    const request = dockerImage === undefined ? {} : { dockerImage };
    return runtime.create({ ...spec, request, layers: [] });
  }

  /** The installer, as a layer like any other. @throws {InstallFailed} */
  async #tool(tool: LayeredTool): Promise<Layer> {
    const key = `tool ${await this.#identity(tool)}`;
    const kept = this.#store.find(key, 0);
    if (kept) return kept;
    if (tool.kind === 'own') return this.#own(tool, key);
    await using written = this.#registries.begin(tool, 'python', () => {});
    const answer = await written.registry.answer;
    if (answer.event === 'done') return await this.#store.add([key], written.directory, answer);
    const sentence = answer.event === 'failed' ? answer.sentence : 'no answer';
    throw new InstallFailed(
      'registry_unreachable',
      `${tool.program}, which installs packages, is not to be had: ${sentence}`,
    );
  }

  /** A program of the service's, so that sandboxes have it that are made of an image. */
  async #own({ program }: Extract<Tool, { kind: 'own' }>, key: string): Promise<Layer> {
    const directory = this.#store.begin();
    try {
      const target = join(directory, 'tree', program);
      await mkdir(dirname(target));
      await copyFile(this.#settings.bun()!, target);
      // Whatever this process keeps to itself, sandboxes read these.
      for (const path of [dirname(target), target]) await chmod(path, 0o755);
      const { size } = await stat(target);
      return await this.#store.add([key], directory, { id: key, bytes: size, installed: [] });
    } finally {
      await this.#store.discard(directory);
    }
  }

  /** Differs for every program that differs. */
  async #identity(tool: LayeredTool): Promise<string> {
    if (tool.kind !== 'own') return tool.sha256;
    const bun = this.#settings.bun();
    if (bun === null) throw new InstallFailed('needs_build', 'The service itself has no bun on this machine');
    const { size, mtimeMs } = await stat(bun);
    return `${tool.program} ${bun} ${size} ${mtimeMs}`;
  }

  #since(list: readonly Requirement[]): number {
    return list.every(({ pinned }) => pinned) ? 0 : Date.now() - this.#settings.ttlMs;
  }

  /** Keys of lists of requirements, for what else a request says. */
  async #keys({ ecosystem, runtime, language, dockerImage, build }: InstallRequest): Promise<KeyOf> {
    const { indexes, deny, minAgeDays } = this.#settings;
    const request = dockerImage === undefined ? {} : { dockerImage };
    const identity = [runtime.type, language.name, await runtime.identify(language, request)];
    // Scripts of packages may pick what fits the interpreter that they run in.
    const anywhere = ecosystem.portable && !dockerImage && !build;
    const abi = [process.arch, ...(anywhere ? [] : identity)];
    const tool = ecosystem.tool(process.arch);
    const { url, checksums } = indexes[ecosystem.name];
    const more = [url, deny, minAgeDays, checksums, ...(build ? [build] : [])];
    return list => {
      const texts = [...new Set(list)].sort();
      return createHash('sha256')
        .update(JSON.stringify([ecosystem.name, tool, abi, texts, ...more]))
        .digest('hex');
    };
  }
}

const workOf = ({ name }: Ecosystem, build = false) =>
  ({ kind: 'install', ecosystem: name, address: GATEWAY, build }) as const;

/** No list of a client's is answered by a part: none has such a line. */
const alone = (pin: string) => `${pin} alone`;

/** Nobody waits for its end, in which a layer might go. */
function closeUnseen(open: AsyncDisposableStack): void {
  if (!open.disposed)
    open
      .move()
      .disposeAsync()
      .catch(() => {});
}

/** By what it holds, and where it was built by whose it is: two who have built the same have a layer each, of which neither can be changed by the other. */
function scoped(id: string, { build }: InstallRequest): { id: string; builder?: string } {
  if (!build) return { id };
  const hash = (what: unknown) => createHash('sha256').update(JSON.stringify(what)).digest('hex');
  return { id: hash([id, build]), builder: hash(build) };
}

const sizeOf = (all: readonly { readonly bytes: number }[]) => all.reduce((sum, { bytes }) => sum + bytes, 0);

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
