import { cancelled } from '../errors.ts';
import { FileRefused, ProgramNotFound, type Sandbox, SandboxLost } from '../sandbox.ts';
import { BetterLayers } from './better-layers.ts';
import type { Done } from './ecosystem.ts';
import { InstallFailed, TOO_MUCH_MEMORY } from './install-failed.ts';
import type { InstallRequest } from './install-request.ts';
import { sandboxFor, workOf } from './install-sandbox.ts';
import { joinLayers } from './join-layers.ts';
import type { Layer } from './layer.ts';
import { builderOf, idFor } from './layer-id.ts';
import type { LayerStore } from './layer-store.ts';
import type { Progress } from './registry/gateway.ts';
import type { Picked } from './registry/protocol.ts';
import type { RegistryProcesses, RegistrySettings } from './registry-processes.ts';
import { alone, keysOf, resolved } from './request-keys.ts';
import { installIn, type Known } from './sandbox-install.ts';

const INSTALL_MS = 120_000;

export interface InstallProgress {
  readonly phase: Progress['phase'] | 'install' | 'verify' | 'ready';
  readonly package: string | null;
  readonly bytes: number | null;
  readonly totalBytes: number | null;
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

/**
 * Makes layers: in a sandbox in which the installer runs, with a process that talks to registries and takes what came of it. Better ones are made
 * in the background, for those who ask later.
 */
export class LayerMaker {
  readonly #store: LayerStore;
  readonly #settings: RegistrySettings;
  readonly #registries: Pick<RegistryProcesses, 'begin' | 'pick'>;
  readonly #better: BetterLayers;

  constructor(parts: {
    store: LayerStore;
    settings: RegistrySettings;
    registries: Pick<RegistryProcesses, 'begin' | 'pick'>;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#registries = parts.registries;
    this.#better = new BetterLayers(parts);
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
      if (stop.aborted) throw cancelled();
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
      if (picked) return await there(this.#store.keep(picked.layer, open), picked.resolvedAt);
      const written = open.use(this.#registries.begin(workOf(ecosystem, build), ecosystem.name, onDownload));
      sandbox = open.use(await sandboxFor(request));

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
        ? joinLayers(
            this.#store,
            keys,
            parts,
            done && { ...done, whole: isKnown, directory: written.directory },
          )
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
          return done && this.#better.joinOfParts(request, layer, pins, what, toolLayer);
        // What of it is in a sandbox is not all.
        return isJoined ? undefined : this.#better.inSandbox(layer, ecosystem, sandbox!, open.move());
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
        throw new InstallFailed('too_large', TOO_MUCH_MEMORY);
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
    if (layer) this.#store.keep(layer, open);
    const parts = new Map<string, Layer>();
    const isSearched = !layer && byParts && request.ecosystem.resolution?.parts;
    for (const pin of isSearched ? pins : []) {
      const part = this.#store.find(keyOf(alone(pin)), 0);
      if (!part) continue;
      this.#store.keep(part, open);
      if (pins.length === 1) return { layer: part, parts };
      parts.set(pin, part);
    }
    return { layer, parts };
  }
}

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
