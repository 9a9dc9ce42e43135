import { randomUUID } from 'node:crypto';
import { languages } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import { Users } from '../../launcher/users.ts';
import { type Sandbox, type SandboxLimits, SandboxLost } from '../../sandbox.ts';
import type { RuntimeType } from '../../schemas/session.ts';
import { cpython } from '../../toolchains/cpython.ts';
import { dotnet } from '../../toolchains/dotnet.ts';
import { gc } from '../../toolchains/go.ts';
import { node } from '../../toolchains/node.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { type LibraryFiles, LibraryUnable, type SandboxLibrary } from '../library.ts';
import { NoSandbox } from '../no-sandbox.ts';
import {
  type Runtime,
  type RuntimeCapabilities,
  type RuntimeRequest,
  type RuntimeState,
  type SandboxSpec,
  STARTING,
} from '../runtime.ts';
import { allows } from './allowed-images.ts';
import { LABEL, NOBODY } from './container-plan.ts';
import { ContainerWatch } from './container-watch.ts';
import { DockerSandbox } from './docker-sandbox.ts';
import { Engine, EngineUnable } from './engine.ts';
import { type CheckedEngine, checkEngine } from './engine-check.ts';
import { HostNames } from './host-names.ts';
import { ImageProbe } from './image-probe.ts';
import { Images } from './images.ts';
import { LayersVolume } from './layers-volume.ts';
import { type Library, LOST, libraryVolume, Volumes } from './library-volume.ts';
import { StrayContainers } from './stray-containers.ts';

/** Toolchains of our images (docker/). */
const TOOLCHAINS: readonly Toolchain[] = [cpython, node, gc, dotnet];
/** Interval of checks of the engine, milliseconds. */
const LOOK_MS = 5000;
const LOOK_DEADLINE_MS = 5000;
/** First retry after the engine has gone, milliseconds: it is often being restarted. */
const COMES_BACK_MS = 500;

/** What is held while an engine answers. */
interface ConnectedEngine extends CheckedEngine {
  readonly watch: ContainerWatch;
  readonly library: Library;
  /** What containers that are made now see of packages; null where none are installed. */
  layers: LayersVolume | null;
  /** While a volume of layers gives way to another. */
  renewing: Promise<void> | null;
}

/** Sandboxes in containers of a Docker engine, here or on another machine. */
export class DockerRuntime implements Runtime {
  readonly type: RuntimeType;
  readonly isolationLevel: number;
  readonly capabilities: RuntimeCapabilities;
  readonly #engineRuntime: string | undefined;
  readonly #instance: string;
  readonly #allowed: readonly string[];
  readonly #library: SandboxLibrary;
  readonly #packages: { readonly maxBytes: number } | null;
  readonly #engine = new Engine();
  readonly #images = new Images(this.#engine);
  readonly #probes: ReadonlyMap<string, ImageProbe>;
  readonly #open = new Set<string>();
  readonly #stray: StrayContainers;
  readonly #users: Users;
  readonly #hosts = new HostNames();
  #connection: ConnectedEngine | null = null;
  #unable: { reason: string; remedy: string | null } = { reason: STARTING, remedy: null };
  #probing: Promise<RuntimeState> | undefined;
  #look: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * `instance` must be unique among runtimes on an engine. `allowed`: patterns of image names, `*` for any
   * part.
   */
  constructor(parts: {
    type: RuntimeType;
    engineRuntime: string | undefined;
    isolationLevel: number;
    capabilities: RuntimeCapabilities;
    instance: string;
    allowed: readonly string[];
    library: SandboxLibrary;
    packages: { readonly maxBytes: number } | null;
  }) {
    this.type = parts.type;
    this.#engineRuntime = parts.engineRuntime;
    this.isolationLevel = parts.isolationLevel;
    this.capabilities = parts.capabilities;
    this.#instance = parts.instance;
    this.#allowed = parts.allowed;
    this.#library = parts.library;
    this.#packages = parts.packages;
    const isOpen = this.#open.has.bind(this.#open);
    this.#stray = new StrayContainers({ engine: this.#engine, instance: parts.instance, isOpen });
    this.#users = new Users(parts.instance, 'container');
    const mine = languages.filter(language => this.toolchainFor(language) && language.dockerImage);
    // Languages that share an image share its probe.
    const probes = new Map(mine.map(language => [language.dockerImage, this.#probeOf(language)]));
    this.#probes = new Map(mine.map(language => [language.name, probes.get(language.dockerImage)!]));
  }

  get state(): RuntimeState {
    if (!this.#connection) return { available: false, ...this.#unable, version: null };
    const { version } = this.#connection;
    const states = [...this.#probes.values()].map(image => image.state);
    const [best] = states.filter(state => state.available).sort((a, b) => a.startupMs - b.startupMs);
    if (best) return { ...best, version };
    const first = states.find(state => !state.available);
    return { available: false, reason: 'no image is built', remedy: null, ...first, version };
  }

  toolchainFor(language: Language): Toolchain | undefined {
    return language.toolchains.find(toolchain => TOOLCHAINS.includes(toolchain));
  }

  /** An image has one language only. */
  guestToolchainFor(language: Language): Toolchain | undefined {
    return this.toolchainFor(language);
  }

  stateFor(language: Language, request: RuntimeRequest = {}): RuntimeState {
    const { state } = this;
    if (!this.#connection) return state;
    const own = this.#probes.get(language.name)?.state ?? state;
    if (request.dockerImage === undefined || own.available) return own;
    // A client's image: its presence is checked when it is used, and its costs are unknown.
    const { version } = this.#connection;
    return state.available ? state : { available: true, version, startupMs: 0, memoryMB: 0 };
  }

  async identify(language: Language, { dockerImage }: RuntimeRequest): Promise<string> {
    try {
      return (await this.#images.find(dockerImage ?? this.#imageOf(language.name))).id;
    } catch (error) {
      throw error instanceof EngineUnable ? new NoSandbox(this.type, error) : error;
    }
  }

  refuses({ dockerImage }: RuntimeRequest): string | null {
    if (dockerImage === undefined || allows(this.#allowed, dockerImage)) return null;
    return `dockerImage: ${dockerImage} is none of the images that this server allows: ${this.#allowed.join(', ')}`;
  }

  probe(): Promise<RuntimeState> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async create({ language, limits, request, purpose, egress }: SandboxSpec): Promise<Sandbox> {
    const image = request.dockerImage ?? this.#imageOf(language.name);
    try {
      // What runs but one program at a time needs no leaves.
      const network = egress !== null;
      return await this.#make(image, limits, { language, divided: purpose === 'session', network });
    } catch (error) {
      if (!(error instanceof EngineUnable || error instanceof SandboxLost)) throw error;
      // Checks an engine that gave no answer, so that later requests are refused at once. Restores the
      // library if its volume was removed.
      if (LOST.test(error.message)) this.#lose(new EngineUnable('the library is being restored'));
      if (!this.#connection || (error instanceof EngineUnable && error.status === null))
        void this.#lookAgain();
      throw new NoSandbox(this.type, error);
    }
  }

  /** Starts periodic checks of the engine. */
  watch(): void {
    this.#schedule(LOOK_MS);
  }

  /** Removes this instance's containers and volumes. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#look);
    await this.#probing?.catch(() => {});
    await this.#connection?.renewing?.catch(() => {});
    this.#open.delete(this.#connection?.layers?.id ?? '');
    if (this.#connection) await this.#sweep().catch(() => {});
    this.#connection?.watch.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #imageOf(language: string): string {
    const image = this.#probes.get(language)?.image;
    if (!image) throw new Error(`${language} has no image`);
    return image;
  }

  #probeOf(language: Language): ImageProbe {
    return new ImageProbe({
      engine: this.#engine,
      language,
      version: this.toolchainFor(language)!.version,
      open: (image, limits) => this.#make(image, limits, { language, divided: false, network: false }),
    });
  }

  async #make(
    imageName: string,
    limits: SandboxLimits,
    { language, divided, network }: { language: Language; divided: boolean; network: boolean },
  ): Promise<DockerSandbox> {
    const connection = this.#connection;
    if (!connection) throw new EngineUnable(this.#unable.reason, this.#unable.remedy);
    const id = randomUUID();
    await this.#renewLayers(connection);
    const { watch, library, layers, mapsUsers } = connection;
    const user = mapsUsers ? NOBODY : this.#users.take();
    const made = { id, instance: this.#instance, engineRuntime: this.#engineRuntime };
    const plan = {
      ...made,
      user,
      library,
      layers: layers?.options ?? null,
      limits,
      hosts: this.#hosts,
      network,
      countsCpus: language.name === 'python',
    };
    const forget = () => {
      this.#open.delete(id);
      this.#users.give(user);
    };
    this.#open.add(id);
    try {
      const { id: image, environment } = await this.#images.find(imageName);
      const parts = { engine: this.#engine, watch, plan: { ...plan, image }, environment, layers, divided };
      const sandbox = await DockerSandbox.open(parts);
      void sandbox.gone.then(removed => {
        forget();
        if (!removed) this.#stray.sweepSoon();
      });
      return sandbox;
    } catch (error) {
      forget();
      // An engine that gave no answer may still make the container.
      if (!(error instanceof EngineUnable && error.status !== null)) this.#stray.sweepSoon();
      throw error;
    }
  }

  async #probe(): Promise<RuntimeState> {
    try {
      this.#connection ??= await this.#connect();
      for (const image of new Set(this.#probes.values())) await image.look();
    } catch (error) {
      this.#lose(error);
    }
    return this.state;
  }

  async #connect(): Promise<ConnectedEngine> {
    const checked = await checkEngine(this.#engine);
    const library = await libraryVolume(this.#engine, await this.#files());
    await this.#sweep();
    const watch = await ContainerWatch.start(this.#engine, this.#instance);
    void watch.ended.then(reason => {
      this.#lose(reason);
      if (!this.#closed) this.#schedule(COMES_BACK_MS);
    });
    const layers = this.#packages && (await this.#newLayers());
    return { ...checked, watch, library, layers, renewing: null };
  }

  /** A volume of layers that holds more than it may is left to those who use it. All that are made meanwhile wait for one new one. */
  async #renewLayers(connection: ConnectedEngine): Promise<void> {
    const { layers } = connection;
    if (!this.#packages || !layers || layers.bytes <= this.#packages.maxBytes) return;
    connection.renewing ??= this.#replaceLayers(connection, layers).finally(() => {
      connection.renewing = null;
    });
    await connection.renewing;
  }

  async #replaceLayers(connection: ConnectedEngine, full: LayersVolume): Promise<void> {
    const layers = await this.#newLayers();
    connection.layers = layers;
    // Of an engine that was lost meanwhile: the next connection has its own.
    if (this.#connection !== connection) this.#open.delete(layers.id);
    this.#open.delete(full.id);
    await full.release();
    await this.#sweepVolumes();
  }

  async #newLayers(): Promise<LayersVolume> {
    const id = randomUUID();
    const volume = { [LABEL.instance]: this.#instance };
    const labels = { volume, container: { ...volume, [LABEL.session]: id } };
    this.#open.add(id);
    try {
      return await LayersVolume.create(this.#engine, id, labels);
    } catch (error) {
      // A container of it may be there, for nobody.
      this.#open.delete(id);
      throw error;
    }
  }

  async #files(): Promise<LibraryFiles> {
    try {
      return await this.#library.get();
    } catch (error) {
      throw error instanceof LibraryUnable ? new EngineUnable(error.message, error.remedy) : error;
    }
  }

  #lose(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#unable = { reason, remedy: error instanceof EngineUnable ? error.remedy : null };
    this.#connection?.watch.close();
    // What is left of them is swept with the next connection.
    this.#open.delete(this.#connection?.layers?.id ?? '');
    this.#connection = null;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#look);
    if (!this.#closed) this.#look = setTimeout(() => void this.#lookAgain(), ms).unref();
  }

  async #lookAgain(): Promise<void> {
    try {
      if (this.#connection) await this.#engine.call(docker => docker.ping(), LOOK_DEADLINE_MS);
      await this.probe();
      // At a new connection they have just been swept.
      if (this.#connection) await this.#stray.sweepSeldom();
    } catch (error) {
      this.#lose(error);
    }
    this.#schedule(LOOK_MS);
  }

  /** Removes what this instance has left. @throws {EngineUnable} */
  async #sweep(): Promise<void> {
    await this.#stray.sweep();
    await this.#sweepVolumes();
  }

  /** Removes volumes left over: a killed engine forgets to remove them with their containers. */
  async #sweepVolumes(): Promise<void> {
    const filters = { label: [`${LABEL.instance}=${this.#instance}`], dangling: ['true'] };
    const { Volumes: left } = await this.#engine.ask(Volumes, docker => docker.listVolumes({ filters }));
    for (const { Name } of left ?? [])
      await this.#engine.call(docker => docker.getVolume(Name).remove()).catch(() => {});
  }
}
