import { chmod, copyFile, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Tool } from './ecosystem.ts';
import { InstallFailed } from './install-failed.ts';
import type { Layer } from './layer.ts';
import { idFor } from './layer-id.ts';
import type { LayerStore } from './layer-store.ts';
import type { RegistryProcesses } from './registry-processes.ts';

/** Of OpenSSL for each processor, which are most of all headers of Node.js; hardly an addon needs them. */
const LARGE_HEADERS = 'openssl';

interface Headers {
  readonly directory: string;
  /** Of that Node.js. */
  readonly version: string;
}

export interface ToolSettings {
  /** The service's own bun on this machine; null where it has none. */
  readonly bun: () => string | null;
  /** Of the Node.js in sandboxes; null where there are none. */
  readonly nodeHeaders: () => Headers | null;
}

type LayeredTool = Exclude<Tool, { kind: 'inside' }>;

/** Installers, as layers like any other. */
export class ToolLayers {
  readonly #store: LayerStore;
  readonly #settings: ToolSettings;
  readonly #registries: Pick<RegistryProcesses, 'begin'>;

  constructor(parts: {
    store: LayerStore;
    settings: ToolSettings;
    registries: Pick<RegistryProcesses, 'begin'>;
  }) {
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#registries = parts.registries;
  }

  /** The layer of an installer, kept as long as `open` is. @throws {InstallFailed} */
  async layerOf(tool: LayeredTool, open: DisposableStack): Promise<Layer> {
    const key = `tool ${await this.#identity(tool)}`;
    const kept = this.#store.find(key, 0);
    if (kept) return this.#store.keep(kept, open);
    if (tool.kind === 'own') return this.#own(tool, key, open);
    await using written = this.#registries.begin(tool, 'python', () => {});
    const answer = await written.registry.answer;
    if (answer.event === 'done')
      return this.#store.keep(
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
      return this.#store.keep(await this.#store.add([key], directory, what), open);
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
    return `${tool.program} ${bun} ${size} ${mtimeMs} headers ${this.#settings.nodeHeaders()?.version}`;
  }
}
