import { chmod, copyFile, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cancelled } from '../errors.ts';
import { limitsFor } from '../runtimes/default-limits.ts';
import { FileRefused, ProgramNotFound, type Sandbox, SandboxLost } from '../sandbox.ts';
import type { Done, Ecosystem, Tool } from './ecosystem.ts';
import { InstallFailed } from './install-failed.ts';
import type { InstallRequest } from './install-request.ts';
import type { Layer } from './layer.ts';
import { builderOf, idFor, idOfJoined } from './layer-id.ts';
import type { LayerStore } from './layer-store.ts';
import type { Progress } from './registry/gateway.ts';
import type { Picked } from './registry/protocol.ts';
import type { RegistryProcesses, RegistrySettings } from './registry-processes.ts';
import { alone, keysOf, resolved } from './request-keys.ts';
import { betterIn, GATEWAY, type Installing, installIn, type Known, partIn } from './sandbox-install.ts';

/** Of the sandbox that packages are installed in; its files may take half of the memory. */
const INSTALL_LIMITS = limitsFor({ memoryMB: 2048, cpus: 2 });
const INSTALL_MS = 120_000;
/** Layers that wait to be made better; some hold what was installed in a sandbox's memory. */
const MAX_BETTERING = 4;
/** Of OpenSSL for each processor, which are most of all headers of Node.js; hardly an addon needs them. */
const LARGE_HEADERS = 'openssl';
/** For all of that, from the first layer on. */
const BETTER_MS = 5 * 60_000;

export interface InstallProgress {
  readonly phase: Progress['phase'] | 'install' | 'verify' | 'ready';
  readonly package: string | null;
  readonly bytes: number | null;
  readonly totalBytes: number | null;
}

interface Headers {
  readonly directory: string;
  /** Of that Node.js. */
  readonly version: string;
}

export interface MakerSettings extends RegistrySettings {
  /** The service's own bun on this machine; null where it has none. */
  readonly bun: () => string | null;
  /** Of the Node.js in sandboxes; null where there are none. */
  readonly nodeHeaders: () => Headers | null;
}

export interface InstallResult {
  readonly layer: Layer;
  /** It was there already. */
  readonly cached: boolean;
}

/** Layers among which one may be what a list comes to, by the versions that it names come to. */
export interface Candidates {
  /** When that was resolved comes with it. */
  of(versions: Picked): { layer: Layer; resolvedAt: number } | undefined;
}

/** When a list was resolved that is to be installed anew for whoever asks for it next. */
const NEVER_AGAIN = -1;

type LayeredTool = Exclude<Tool, { kind: 'inside' }>;

/**
 * Makes layers: in a sandbox in which the installer runs, with a process that talks to registries and takes what came of it; and better
 * ones in the background, for those who ask later.
 */
export class LayerMaker {
  readonly #store: LayerStore;
  readonly #settings: MakerSettings;
  readonly #registries: Pick<RegistryProcesses, 'begin' | 'pick'>;
  /** Layers that are made better, one after the other, and the last of them. */
  #bettering = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: {
    store: LayerStore;
    settings: MakerSettings;
    registries: Pick<RegistryProcesses, 'begin' | 'pick'>;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#registries = parts.registries;
  }

  /**
   * Installs a list, or finds a layer by what it comes to; `candidates`: first by what its own words come to, if there are any. `byParts`:
   * versions that are there are not installed again. @throws {InstallFailed}
   * @throws {Unjoinable} such versions can't be put together
   */
  async make(
    key: string,
    request: InstallRequest,
    {
      toolLayer,
      byParts,
      candidates,
    }: { toolLayer: Layer | null; byParts: boolean; candidates: Candidates | null },
    stop: AbortSignal,
    onProgress: (progress: InstallProgress) => void,
  ): Promise<InstallResult> {
    const { ecosystem, dockerImage } = request;
    const onDownload = (progress: Progress) => onProgress(progress);
    const build = request.build !== null;
    const open = new AsyncDisposableStack();
    let sandbox: Sandbox | undefined;
    let late = false;
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const end = () => {
      ended.reject(new SandboxLost('it was ended before it began'));
      void sandbox?.close();
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, INSTALL_MS);
    stop.addEventListener('abort', end, { once: true });
    try {
      const { list } = request;
      const { checksums = null } = this.#settings.indexes[ecosystem.name];
      const onReady = ({ bytes }: Layer) =>
        onProgress({ phase: 'ready', package: null, bytes, totalBytes: bytes });
      const there = async (layer: Layer, resolvedAt?: number) => {
        await this.#store.answer([key], layer, resolvedAt);
        onReady(layer);
        closeUnseen(open);
        return { layer, cached: true };
      };
      const picks = ecosystem.picks && !build ? this.#registries.pick(ecosystem.name, list, stop) : null;
      let versions: Picked = [];
      picks?.then(
        picked => {
          versions = picked;
        },
        () => {},
      );
      const picked = picks && candidates?.of(await Promise.race([picks, ended.promise]));
      if (picked) return await there(this.#kept(picked.layer, open), picked.resolvedAt);
      const written = open.use(this.#registries.begin(workOf(ecosystem, build), ecosystem.name, onDownload));
      sandbox = open.use(await this.#sandbox(request));

      if (late || stop.aborted) throw new SandboxLost('it was ended before it began');
      if (toolLayer) await sandbox.bring(this.#store.placeOf(toolLayer));
      const onPhase = (phase: 'install' | 'verify') =>
        onProgress({ phase, package: null, bytes: null, totalBytes: null });
      const what = { ecosystem, toolLayer: toolLayer?.name ?? '', list, checksums, build };
      const known = (pins: readonly string[]) => this.#known(key, request, pins, byParts && !build, open);
      const made = await installIn(sandbox, written.registry, { ...what, known }, onPhase);
      if ('there' in made) return await there(made.there);
      const { pins, parts } = made;
      const done = made.done && {
        ...made.done,
        id: idFor(key, made.done.id),
        builder: request.build ? builderOf(request.build) : undefined,
        sure: sureOf(list, versions, made.done),
      };
      const installed = [...(done?.installed ?? []), ...parts.flatMap(part => part.installed)];
      // Only what was installed is known by its versions, whatever was said before.
      const isKnown = pins !== null && ecosystem.resolution!.holds({ installed, asked: done?.asked }, pins);
      const keyOf = await keysOf(request, this.#settings);
      const keys = [key, ...(isKnown ? [keyOf(resolved(pins, done ? key : undefined))] : [])];
      const isJoined = parts.length > 0;
      if (isJoined && done) await written.registry[Symbol.asyncDispose]();
      const layer = await (isJoined
        ? this.join(keys, parts, done && { ...done, whole: isKnown, directory: written.directory })
        : this.#store.add(
            keys,
            written.directory,
            { ...done!, whole: isKnown },
            done?.asked?.passing ? NEVER_AGAIN : undefined,
          ));
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
    key: string,
    request: InstallRequest,
    pins: readonly string[],
    byParts: boolean,
    open: AsyncDisposableStack,
  ): Promise<Known> {
    const keyOf = await keysOf(request, this.#settings);
    const layer =
      this.#store.find(keyOf(resolved(pins)), 0) ?? this.#store.find(keyOf(resolved(pins, key)), 0);
    if (layer) open.use(this.#store.use(layer));
    const parts = new Map<string, Layer>();
    const isSearched = !layer && byParts && request.ecosystem.resolution?.parts;
    for (const pin of isSearched ? pins : []) {
      const part = this.#store.find(keyOf(alone(pin)), 0);
      if (!part) continue;
      open.use(this.#store.use(part));
      if (pins.length === 1) return { layer: part, parts };
      parts.set(pin, part);
    }
    return { layer, parts };
  }

  /** Puts a layer together of others, and of what was installed beside them by a process that has ended. @throws {StoreFull} */
  async join(
    keys: readonly string[],
    parts: readonly Layer[],
    more: (Done & Pick<Layer, 'whole' | 'sure'> & { directory: string }) | null,
    resolvedAt?: number,
  ): Promise<Layer> {
    const { directory, overhead } = await this.#store.joined(parts, more?.directory ?? null);
    try {
      const all = [...parts, ...(more ? [more] : [])];
      // Lists may come to some of the same versions.
      const versions = all.flatMap(({ installed }) => installed);
      const installed = [...new Map(versions.map(each => [`${each.name}@${each.version}`, each])).values()];
      const twice = sizeOf(versions) - sizeOf(installed);
      const joined = {
        id: idOfJoined(all.map(({ id }) => id)),
        bytes: sizeOf(all) - twice,
        installed: installed.sort((one, other) => (one.name < other.name ? -1 : 1)),
        places: all.every(({ places }) => places)
          ? Object.assign({}, ...all.map(each => each.places))
          : undefined,
        sure: all.every(({ sure }) => sure) ? Object.assign({}, ...all.map(each => each.sure)) : undefined,
        parts: parts.map(({ name }) => name),
        overhead,
        whole: all.every(({ whole }) => whole),
      };
      return await this.#store.add(keys, directory, joined, resolvedAt);
    } finally {
      this.#store.remove(directory).catch(() => {});
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
        const part = await this.#part(request, pin, what, toolLayer, signal, open);
        parts.push(part);
      }
      const keyOf = await keysOf(request, this.#settings);
      const keys = [...this.#store.keysOf(layer), keyOf(resolved(pins))];
      await (parts.length === 1 ? this.#store.answer(keys, parts[0]!) : this.join(keys, parts, null));
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
    if (kept) return this.#kept(kept, open);
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
      // It is what was asked for here, of which nobody had told anything.
      const made = { ...done, id: idFor(key, done.id), sure: parts!.versionIn(pin) };
      const part = this.#kept(await this.#store.add([key], written.directory, made), open);
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
      const better = { ...done, id: idFor(layer.id, done.id), installed: layer.installed };
      await this.#store.add(keys, written.directory, better);
    });
  }

  #sandbox({ language, toolchain, runtime, dockerImage }: InstallRequest): Promise<Sandbox> {
    const spec = { language, toolchain, purpose: 'program', limits: INSTALL_LIMITS, egress: null } as const;
    const request = dockerImage === undefined ? {} : { dockerImage };
    return runtime.create({ ...spec, request, layers: [] });
  }

  /** The installer, as a layer like any other, kept as long as `open` is. @throws {InstallFailed} */
  async toolLayer(tool: LayeredTool, open: DisposableStack): Promise<Layer> {
    const key = `tool ${await this.#identity(tool)}`;
    const kept = this.#store.find(key, 0);
    if (kept) return this.#kept(kept, open);
    if (tool.kind === 'own') return this.#own(tool, key, open);
    await using written = this.#registries.begin(tool, 'python', () => {});
    const answer = await written.registry.answer;
    if (answer.event === 'done')
      return this.#kept(
        await this.#store.add([key], written.directory, { ...answer, id: idFor(key, answer.id) }),
        open,
      );
    const sentence = answer.event === 'failed' ? answer.sentence : 'no answer';
    throw new InstallFailed(
      'registry_unreachable',
      `${tool.program}, which installs packages, is not to be had: ${sentence}`,
    );
  }

  /** A program of the service's, so that sandboxes have it that are made of an image, and what addons of Node.js are compiled with. */
  async #own(
    { program }: Extract<Tool, { kind: 'own' }>,
    key: string,
    open: DisposableStack,
  ): Promise<Layer> {
    const directory = this.#store.begin();
    try {
      const tree = join(directory, 'tree');
      const target = join(tree, program);
      await mkdir(tree);
      await copyFile(this.#settings.bun()!, target);
      const headers = this.#settings.nodeHeaders();
      const filter = (path: string) => basename(path) !== LARGE_HEADERS;
      if (headers) await cp(headers.directory, join(tree, 'include/node'), { recursive: true, filter });
      let bytes = 0;
      for (const name of ['', ...(await readdir(tree, { recursive: true }))]) {
        const path = join(tree, name);
        // Whatever this process keeps to itself, sandboxes read these.
        await chmod(path, 0o755);
        const stats = await stat(path);
        if (stats.isFile()) bytes += stats.size;
      }
      const what = { id: idFor(key, ''), bytes, installed: [] };
      return this.#kept(await this.#store.add([key], directory, what), open);
    } finally {
      await this.#store.discard(directory);
    }
  }

  /** Keeps a layer as long as `open` is, before anything else can have happened: what was to be ended here may take a while to end. */
  #kept(layer: Layer, open: { use(kept: Disposable): unknown }): Layer {
    open.use(this.#store.use(layer));
    return layer;
  }

  /** Differs for every program that differs. */
  async #identity(tool: LayeredTool): Promise<string> {
    if (tool.kind !== 'own') return tool.sha256;
    const bun = this.#settings.bun();
    if (bun === null) throw new InstallFailed('needs_build', 'The service itself has no bun on this machine');
    const { size, mtimeMs } = await stat(bun);
    return `${tool.program} ${bun} ${size} ${mtimeMs} headers ${this.#settings.nodeHeaders()?.version}`;
  }
}

const workOf = ({ name }: Ecosystem, build = false) =>
  ({ kind: 'install', ecosystem: name, address: GATEWAY, build }) as const;

/** Nobody waits for its end, in which a layer might go. */
function closeUnseen(open: AsyncDisposableStack): void {
  if (!open.disposed)
    open
      .move()
      .disposeAsync()
      .catch(() => {});
}

/** Versions that pages say of those that a list names, where an install has come to them too. */
function sureOf(
  list: InstallRequest['list'],
  versions: Picked,
  { installed }: Done,
): Readonly<Record<string, string>> | undefined {
  const there = new Set(installed.map(({ name, version }) => `${name}@${version}`));
  const sure = list.flatMap(({ name }, i) =>
    there.has(`${name}@${versions[i]}`) ? [[name, versions[i]!] as const] : [],
  );
  return sure.length > 0 ? Object.fromEntries(sure) : undefined;
}

const sizeOf = (all: readonly { readonly bytes: number }[]) => all.reduce((sum, { bytes }) => sum + bytes, 0);
