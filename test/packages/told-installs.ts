import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createMetrics } from '../../src/metrics.ts';
import type { Done, Ecosystem } from '../../src/packages/ecosystem.ts';
import { LayerStore } from '../../src/packages/layer-store.ts';
import { type Installed, Packages } from '../../src/packages/packages.ts';
import type { Picked, Wanted, Work } from '../../src/packages/registry/protocol.ts';
import type { BegunRegistry } from '../../src/packages/registry-processes.ts';
import type { Sandbox } from '../../src/sandbox.ts';
import type { Ended } from '../unit/support/memory-process.ts';
import { languageNamed, MemoryRuntime } from '../unit/support/memory-runtime.ts';
import type { MemorySandbox } from '../unit/support/memory-sandbox.ts';

/** What an install says: its installer, of the versions that its list comes to, and its process of what lies in the tree. */
export interface Said {
  readonly words?: string;
  readonly done: Omit<Done, 'event' | 'bytes'>;
  readonly files?: Readonly<Record<string, string>>;
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const TOOL = { event: 'done', id: 'tool', bytes: 1, installed: [] } as const;
const LANGUAGES = { python: 'python', npm: 'javascript', go: 'go' } as const;

const SHA256 = `sha256:${'ab'.repeat(32)}`;
const SHA512 = Buffer.alloc(64, 7);
const WOULD = (...pins: string[]) =>
  `Would install ${pins.length} package${pins.length === 1 ? '' : 's'}\n${pins.map(pin => ` + ${pin}\n`).join('')}`;
const versions = (...pins: string[]) =>
  pins.map(pin => {
    const [name = '', version = ''] = pin.split('==');
    return { name, version, bytes: 1, digest: SHA256 };
  });

/** What an install of Python’s says that comes to these, whatever it holds. */
export const inPython = (id: string, ...pins: string[]): Said => ({
  words: WOULD(...pins),
  done: { id, installed: versions(...pins) },
});
/** The same of npm’s. */
export const inNpm = (id: string, name: string, version: string): Said => ({
  words: `{\n  "packages": {\n    "${name}": ["${name}@${version}", "", {}, "sha512-${SHA512.toString('base64')}"],\n  }\n}`,
  done: {
    id,
    installed: [{ name, version, bytes: 1, digest: `sha512:${SHA512.toString('hex')}` }],
    asked: { pages: [name], unused: [], failed: false, passing: false },
    places: { [`node_modules/${name}`]: version },
  },
});

/** The service's own packages over a store on disk, whose installs say what a test has them say, by their lists. */
export class ToldInstalls implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'codebeaker-told-'));
  readonly store: LayerStore;
  /** By what is asked of an installer, with spaces between. */
  readonly said = new Map<string, Said>();
  /** What pages say of versions, by what is wanted. */
  readonly pages = new Map<string, string>();
  /** How installers end. */
  ended: (sandbox: MemorySandbox) => Ended = () => ({ code: 0 });
  /** Awaited while the process of an install ends, which takes a moment. */
  ending: () => Promise<void> = async () => {};
  readonly #packages: Packages;
  readonly #runtime: MemoryRuntime;
  /** Of installs that have begun and have no sandbox yet. */
  readonly #begun: ((asked: string) => void)[] = [];

  constructor({ maxBytes = 1e9 } = {}) {
    this.store = new LayerStore(join(this.root, 'store'), { maxBytes });
    writeFileSync(join(this.root, 'bun'), '');
    const index = { url: 'http://127.0.0.1:9/', authorization: null };
    this.#packages = new Packages({
      store: this.store,
      settings: {
        indexes: { python: index, npm: index, go: index },
        ...{ deny: [], minAgeDays: 0, certificates: null, ttlMs: 3_600_000 },
        ...{ bun: () => join(this.root, 'bun'), nodeHeaders: () => null },
      },
      turns: { enter: async () => () => {} },
      registries: {
        begin: work => this.#begin(work),
        pick: async (_, list: readonly Wanted[]): Promise<Picked> =>
          list.map(({ name, versions }) => this.pages.get(`${name}@${versions}`) ?? null),
      },
      metrics: createMetrics(),
    });
    const runs = new WeakMap<Sandbox, { asked: string; readonly end: (asked: string) => void }>();
    this.#runtime = new MemoryRuntime({
      script: async ({ argv }, { sandbox, print, killed }) => {
        const [, verb] = argv;
        if (verb === 'relay') {
          runs.set(sandbox, { asked: '', end: this.#begun.shift()! });
          await print('ready');
          await new Promise(resolve => killed.addEventListener('abort', resolve));
        } else if (verb === 'export') {
          const { asked, end } = runs.get(sandbox)!;
          end(asked);
        } else if (argv.join(' ').includes(' install ')) {
          const manifest = sandbox.files.contents.get('/workspace/out/package.json');
          const list = manifest
            ? Object.entries(JSON.parse(manifest.toString()).dependencies).map(each => each.join('@'))
            : argv.slice(argv.indexOf('--') + 1);
          const wanted = list.join(' ');
          runs.get(sandbox)!.asked = wanted;
          const resolves = argv.some(each => each === '--dry-run' || each === '--lockfile-only');
          if (resolves) await print(this.said.get(wanted)?.words ?? '');
          return this.ended(sandbox);
        }
        return { code: 0 };
      },
    });
  }

  /** Installs a list, and keeps its layer until it is disposed of. */
  install(ecosystem: Ecosystem, list: readonly string[]): Promise<Installed> {
    const language = languageNamed(LANGUAGES[ecosystem.name]);
    return this.#packages.install({
      ...{ ecosystem, language, list: ecosystem.parse(list, 'packages'), runtime: this.#runtime },
      ...{ toolchain: language.toolchains[0]!, dockerImage: undefined, client: '', build: null, log: SILENT },
    });
  }

  #begin(work: Work): BegunRegistry {
    const directory = this.store.begin();
    const tree = join(directory, 'tree');
    mkdirSync(tree);
    const answer = Promise.withResolvers<object>();
    if (work.kind === 'tool') answer.resolve(TOOL);
    else
      this.#begun.push(asked => {
        const { done, files = {} } = this.said.get(asked)!;
        for (const [path, text] of Object.entries({ from: asked, ...files })) {
          mkdirSync(dirname(join(tree, path)), { recursive: true });
          writeFileSync(join(tree, path), text);
        }
        answer.resolve({ event: 'done', bytes: 1, ...done });
      });
    const registry = {
      relay: { input: new PassThrough().resume(), output: new PassThrough() },
      tree: new PassThrough().resume(),
      answer: answer.promise,
      ask() {},
      async [Symbol.asyncDispose]() {},
    };
    const end = async () => {
      await this.ending();
      await this.store.discard(directory);
    };
    return { registry, directory, [Symbol.asyncDispose]: end } as unknown as BegunRegistry;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
