import { notSupported } from '../../errors.ts';
import type { Ecosystem } from '../../packages/ecosystem.ts';
import type { Layer } from '../../packages/layer.ts';
import type { InstallProgress } from '../../packages/layer-maker.ts';
import type { Installed, Packages } from '../../packages/packages.ts';
import type { Requirement } from '../../packages/requirements.ts';
import type { Call, CallLog } from '../call.ts';
import type { Lease, Plan } from '../placement/lease.ts';
import type { WantedPackages } from './wanted-packages.ts';

interface Shown {
  readonly list: readonly Requirement[];
  readonly build: boolean;
  readonly installed: Installed;
}

export interface AddedPackages {
  readonly installed: Installed;
  /** Names of packages that were shown before in another version. */
  readonly changed: readonly string[];
}

/** Earlier layers that stay while a sandbox lives. */
const MAX_EARLIER = 4;

/** The packages that one sandbox shows, of each ecosystem one layer; disposing of it lets them go. */
export class ShownPackages implements Disposable {
  readonly #packages: Packages | null;
  readonly #plan: Plan;
  readonly #client: Pick<Call, 'client' | 'owner'>;
  readonly #shown = new Map<Ecosystem, Shown>();
  /** Layers that were shown before: an interpreter may still import parts of what it has imported there. */
  readonly #before: Installed[] = [];
  /** Tail of what is being added: one after the other, since each adds to what the last one left. */
  #tail: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(packages: Packages | null, plan: Plan, client: Pick<Call, 'client' | 'owner'>) {
    this.#packages = packages;
    this.#plan = plan;
    this.#client = client;
  }

  /** Whether this server installs packages. */
  get on(): boolean {
    return this.#packages !== null;
  }

  /** An environment whose PATH finds the programs of what is shown. */
  withPath(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const paths = [...this.#shown.keys()].flatMap(({ path }) => path ?? []);
    return paths.length === 0 ? env : { ...env, PATH: [...paths, env.PATH].join(':') };
  }

  /**
   * Installs what is wanted beside what is there, as one list, and keeps it; `lease`: a sandbox that is there already shows it then.
   * @throws {InstallFailed | ServiceError} what was shown stays
   */
  add(
    wanted: WantedPackages,
    options: {
      log: CallLog;
      lease?: Lease;
      signal?: AbortSignal;
      onProgress?: (progress: InstallProgress) => void;
    },
  ): Promise<AddedPackages> {
    const added = this.#tail.catch(() => {}).then(() => this.#add(wanted, options));
    this.#tail = added;
    added.catch(() => {});
    return added;
  }

  /** Shows all that was added. */
  async show(lease: Lease): Promise<void> {
    for (const [ecosystem, { installed }] of this.#shown)
      await this.#packages?.show(installed.layer, ecosystem, lease.sandbox);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { installed } of this.#shown.values()) installed[Symbol.dispose]();
    for (const installed of this.#before.splice(0)) installed[Symbol.dispose]();
    this.#shown.clear();
  }

  async #add(
    { ecosystem, list, build }: WantedPackages,
    { log, lease, signal, onProgress }: Parameters<ShownPackages['add']>[1],
  ): Promise<AddedPackages> {
    const { runtime, language, toolchain, request: asked } = this.#plan;
    if (!this.#packages || !runtime.capabilities.layers)
      throw notSupported('packages', `${runtime.type} does not install packages`);
    const before = this.#shown.get(ecosystem);
    // Once something was built, all of the list may be whenever it is installed again: else it could not be had any more.
    const builds = build || (before?.build ?? false);
    const there = before?.build === builds ? before.installed.layer : undefined;
    const missing = list.filter(each => !isThere(each, there, ecosystem));
    if (before && missing.length === 0)
      return { installed: { ...before.installed, cached: true }, changed: [] };
    const union = merged(before?.list ?? [], missing);
    const { client, owner } = this.#client;
    const where = { runtime, language, toolchain, dockerImage: asked.dockerImage, client };
    const request = { ecosystem, list: union, log, build: builds ? { owner } : null, ...where };
    const installed = await this.#packages.install(request, signal, onProgress);
    try {
      if (lease && installed.layer !== before?.installed.layer)
        await this.#packages.show(installed.layer, ecosystem, lease.sandbox);
    } catch (error) {
      installed[Symbol.dispose]();
      throw error;
    }
    if (before) this.#before.push(before.installed);
    if (this.#before.length > MAX_EARLIER) this.#before.shift()?.[Symbol.dispose]();
    this.#shown.set(ecosystem, { list: union, build: builds, installed });
    if (this.#disposed) this[Symbol.dispose]();
    return { installed, changed: changedBetween(before?.installed, installed) };
  }
}

/** A name alone is met by any version that is there. */
function isThere({ text, name }: Requirement, layer: Layer | undefined, { spelled }: Ecosystem): boolean {
  return spelled(text) === name && (layer?.installed ?? []).some(each => spelled(each.name) === name);
}

/** Of two requirements for one name the later one counts. */
function merged(before: readonly Requirement[], list: readonly Requirement[]): Requirement[] {
  const names = new Set(list.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...list];
}

function changedBetween(before: Installed | undefined, after: Installed): string[] {
  const versions = new Map(after.layer.installed.map(({ name, version }) => [name, version]));
  const old = before?.layer.installed ?? [];
  return old.filter(({ name, version }) => versions.get(name) !== version).map(({ name }) => name);
}
