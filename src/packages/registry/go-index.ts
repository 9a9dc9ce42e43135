import type { Facts } from './facts.ts';
import { isVersion, OF_CHECKSUMS, OF_MODULE, spelledInGo, unescaped } from './go-paths.ts';
import type { ChecksumDatabase, IndexSettings } from './index-settings.ts';
import type { Download, PackageIndex, Page } from './package-index.ts';
import type { Policy } from './policy.ts';
import type { Upstream } from './upstream.ts';

const TEXT = 'text/plain; charset=utf-8';
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
/** Proxies differ in what they say of what they do not have, or do not want to have. */
const ABSENT = [400, 403, 404, 410];
const PREFIX = '/go/';
/** The end of a module's path that names a major version of it. */
const MAJOR = /\/v\d+$/;
/** Newest versions of a list that are looked at for their age. */
const MOST_YOUNG = 50;

/**
 * A module proxy as the go of a sandbox may see it (go.dev/ref/mod#goproxy-protocol), and by the same way the checksum database, by
 * which go itself checks what it is sent; only what these protocols name can be asked for.
 */
export class GoIndex implements PackageIndex {
  readonly #upstream: Upstream;
  readonly #policy: Policy;
  readonly #facts: Facts;
  readonly #checksums: ChecksumDatabase | null;
  readonly #published = new Map<string, Promise<string | undefined>>();
  #database: Promise<URL> | undefined;

  constructor(parts: { upstream: Upstream; policy: Policy; facts: Facts; settings: IndexSettings }) {
    this.#upstream = parts.upstream;
    this.#policy = parts.policy;
    this.#facts = parts.facts;
    this.#checksums = parts.settings.checksums ?? null;
  }

  find(target: string): Page | Download | null {
    const path = target.replaceAll('%21', '!').replace(/%2b/gi, '+');
    if (!path.startsWith(PREFIX)) return null;
    const asked = path.slice(PREFIX.length);
    return asked.startsWith('sumdb/') ? this.#ofChecksums(asked) : this.#ofModule(asked);
  }

  #ofModule(asked: string): Page | Download | null {
    const { path, version, latest, list, kind } = OF_MODULE.exec(asked)?.groups ?? {};
    if (path === undefined) return null;
    const module = unescaped(path);
    const url = new URL(asked, this.#upstream.base);
    if (version === undefined) {
      const text = async () => {
        if (this.#denies(module)) return null;
        const page = await this.#read(url);
        if (page === null || !this.#policy.hasAge) return page;
        return list ? this.#oldEnough(path, page) : this.#ifOldEnough(module, page);
      };
      return { kind: 'page', project: latest || list ? module : null, type: TEXT, text };
    }
    const name = `${module}@${unescaped(version)}`;
    const allowed = async () => !this.#denies(module) && !(await this.#isYoung(path, version));
    if (kind === 'zip') return { kind: 'download', name, url, allowed };
    const text = async () => ((await allowed()) ? this.#read(url) : null);
    return { kind: 'page', project: name, type: TEXT, text };
  }

  #ofChecksums(asked: string): Page | null {
    const name = this.#checksums?.key.split('+', 1)[0];
    const prefix = `sumdb/${name}/`;
    if (name === undefined || !asked.startsWith(prefix)) return null;
    const about = { kind: 'page', project: null, type: TEXT } as const;
    const rest = asked.slice(prefix.length);
    // Whoever has it: this passes it on.
    if (rest === 'supported') return { ...about, text: async () => '' };
    if (!OF_CHECKSUMS.test(rest)) return null;
    return { ...about, text: async () => this.#read(new URL(rest, await this.#databaseOf(prefix))) };
  }

  /** The index passes it on, or it is asked itself. */
  #databaseOf(prefix: string): Promise<URL> {
    this.#database ??= (async () => {
      const passed = new URL(prefix, this.#upstream.base);
      const supported = await this.#read(new URL('supported', passed));
      return supported === null ? new URL(this.#checksums!.url) : passed;
    })();
    return this.#database;
  }

  async #read(url: URL): Promise<Buffer | null> {
    const page = await this.#upstream.bytes(url, {
      accept: '*/*',
      mostBytes: MAX_PAGE_BYTES,
      absent: ABSENT,
    });
    return page?.bytes ?? null;
  }

  #denies(module: string): boolean {
    const name = spelledInGo(module);
    const denied = this.#policy.denies(name) || this.#policy.denies(name.replace(MAJOR, ''));
    if (denied) this.#facts.note('denied', `The operator of this server does not allow ${module}`);
    return denied;
  }

  async #isYoung(path: string, version: string): Promise<boolean> {
    if (!this.#policy.hasAge) return false;
    const young = this.#policy.tooYoung(await this.#publishedAt(path, version));
    const name = `${unescaped(path)}@${unescaped(version)}`;
    if (young) this.#facts.note('denied', `${name} is younger than the operator of this server allows`);
    return young;
  }

  #publishedAt(path: string, version: string): Promise<string | undefined> {
    const url = new URL(`${path}/@v/${version}.info`, this.#upstream.base);
    const known = this.#published.get(url.href) ?? this.#read(url).then(timeIn);
    this.#published.set(url.href, known);
    return known;
  }

  /** Of the newest versions, what is old enough; older ones are. */
  async #oldEnough(path: string, list: Buffer): Promise<string> {
    const versions = list.toString('utf8').split(/\s+/).filter(isVersion).sort(byVersion);
    for (let looked = 0; looked < MOST_YOUNG && versions.length > 0; looked++) {
      if (!this.#policy.tooYoung(await this.#publishedAt(path, versions.at(-1)!))) break;
      versions.pop();
    }
    return versions.map(version => `${version}\n`).join('');
  }

  #ifOldEnough(module: string, info: Buffer): Buffer | null {
    if (!this.#policy.tooYoung(timeIn(info))) return info;
    this.#facts.note('denied', `${module} is younger than the operator of this server allows`);
    return null;
  }
}

/** Undefined where it does not say. */
function timeIn(info: Buffer | null): string | undefined {
  try {
    const { Time } = JSON.parse(info?.toString('utf8') ?? '');
    return typeof Time === 'string' ? Time : undefined;
  } catch {
    return undefined;
  }
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
