import { readdirSync, readFileSync } from 'node:fs';
import type { Digest } from './artifacts.ts';
import type { Facts } from './facts.ts';
import type { Artifact, PackageIndex, Page } from './package-index.ts';
import type { Policy } from './policy.ts';
import { describedAs } from './protocol.ts';
import { spelledInPython } from './spelled-in-python.ts';
import type { Page as RegistryPage, Upstream } from './upstream.ts';
import { named } from './wheel-records.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const METADATA_TYPE = 'application/octet-stream';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const SHA256 = /^[0-9a-f]{64}$/;
/** PEP 503 and PEP 427: what a path of ours may name. */
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const WHEEL = /^[A-Za-z0-9_.+!-]+\.whl$/;
/** PEP 625, and what was there before. */
const SOURCE = /^[A-Za-z0-9_.+!-]+\.(?:tar\.gz|zip)$/;

/** A wheel for another system or another kind of processor alone, by the last of its tags. */
const PROCESSORS = { x64: ['x86_64', 'i686'], arm64: ['aarch64', 'armv[67]l'] };
const OTHERS = ['x86_64', 'i686', 'aarch64', 'armv[67]l', 'ppc64(?:le)?', 's390x', 'riscv64', 'loongarch64'];
const OWN = PROCESSORS[process.arch as keyof typeof PROCESSORS] ?? [];
const SYSTEMS = 'win|macosx_|ios_|android_';
/** One of two, and never both: names are strangers', and with two ways to read each tag of one there would be no end of ways for all. */
const SYSTEM = `(?:${SYSTEMS})\\w*|(?!${SYSTEMS})\\w+_(?:${OTHERS.filter(each => !OWN.includes(each)).join('|')})`;
const FOREIGN = new RegExp(`-(?:${SYSTEM})(?:\\.(?:${SYSTEM}))*\\.whl$`);

const ONLY_SOURCES = (name: string) =>
  `${name} has no wheels: \`install_packages\` builds it for a session with \`build: true\``;
const NOTHING_TO_BUILD = (name: string) => `${name} has neither wheels nor source archives`;

export interface PythonFile {
  readonly filename: string;
  readonly url: URL;
  readonly digest: Digest;
  /** Of its metadata alone (PEP 658). */
  readonly metadata: Digest | null;
  /** That, where it is known already. */
  readonly described: Buffer | null;
}

interface Entry {
  readonly filename: string;
  readonly url: string;
  readonly hashes: Record<string, string>;
  readonly 'requires-python'?: string | null;
  readonly yanked?: boolean | string;
  readonly 'core-metadata'?: unknown;
  readonly size?: number;
  readonly 'upload-time'?: string;
}

/**
 * A Python index as installers of a sandbox may see it: pages of projects (PEP 691; HTML of PEP 503 where an index has nothing else)
 * with wheels, and source archives where they may be built, by addresses of ours, each with a digest.
 */
export class PythonIndex implements PackageIndex {
  readonly #upstream: Upstream;
  readonly #policy: Policy;
  readonly #facts: Facts;
  readonly #build: boolean;
  readonly #describedIn: string;
  readonly #described: ReadonlySet<string>;
  readonly #files = new Map<string, PythonFile>();
  readonly #pages = new Map<string, Promise<string | null>>();

  /** `described`: a directory of metadata of wheels, by {@link describedAs}; null for none. */
  constructor(parts: {
    upstream: Upstream;
    policy: Policy;
    facts: Facts;
    build: boolean;
    described: string | null;
  }) {
    this.#upstream = parts.upstream;
    this.#policy = parts.policy;
    this.#facts = parts.facts;
    this.#build = parts.build;
    this.#describedIn = parts.described ?? '';
    this.#described = new Set(parts.described === null ? [] : readdirSync(parts.described));
  }

  find(target: string): Page | Artifact | null {
    // Installers spell a plus sign in the name of a file either way.
    const path = target.replaceAll('%2B', '+');
    const [, project] = /^\/simple\/([a-z0-9-]+)\/$/.exec(path) ?? [];
    if (project !== undefined)
      return { kind: 'page', project, type: JSON_TYPE, text: () => this.page(project) };
    const [, filename = '', suffix] = /^\/files\/([^/]+?)(\.metadata)?$/.exec(path) ?? [];
    const file = this.#files.get(filename);
    if (!file) return null;
    const { url, digest, metadata, described } = file;
    if (suffix && described)
      return { kind: 'page', project: null, type: METADATA_TYPE, text: async () => described };
    // A wheel without metadata is read for what it has of it, from its end.
    const readInParts = metadata === null && described === null && WHEEL.test(filename);
    if (!suffix) return { kind: 'artifact', name: filename, url, digest, readInParts };
    if (!metadata) return null;
    const beside = new URL(url);
    beside.pathname += suffix;
    return { kind: 'artifact', name: null, url: beside, digest: metadata, readInParts: false };
  }

  /** The page of a project as JSON; null where there is none. @throws {Unreachable | TooLarge} */
  page(name: string): Promise<string | null> {
    const page = this.#pages.get(name) ?? this.#page(name);
    this.#pages.set(name, page);
    return page;
  }

  /** What is known of a wheel, if that is about its project and version. */
  #describe(filename: string, sha256: string): Buffer | null {
    const [project = '', ofVersion] = filename.split('-');
    const ofProject = spelledInPython(project);
    const known = describedAs(`sha256-${sha256}`, `${ofProject}==${ofVersion}`);
    if (!this.#described.has(known)) return null;
    try {
      const text = readFileSync(`${this.#describedIn}/${known}`);
      const { name, version } = named(text.toString('utf8'), '-');
      return spelledInPython(name) === ofProject && version === ofVersion ? text : null;
    } catch {
      // It has gone with its layer.
      return null;
    }
  }

  file(filename: string): PythonFile | undefined {
    return this.#files.get(filename);
  }

  async #page(name: string): Promise<string | null> {
    if (!NAME.test(name)) return null;
    if (this.#policy.denies(name)) {
      this.#facts.note('denied', `The operator of this server does not allow ${name}`);
      return null;
    }
    const address = new URL(`${name}/`, this.#upstream.base);
    const accept = `${JSON_TYPE}, text/html;q=0.1`;
    const answer = await this.#upstream.page(address, { accept, mostBytes: MAX_INDEX_BYTES });
    if (answer === null) {
      this.#facts.note('not_found', `There is no package ${name}`);
      return null;
    }
    const { text, type } = answer;
    const entries = type.startsWith(JSON_TYPE) ? (JSON.parse(text).files as Entry[]) : entriesOf(text);
    const files = entries.flatMap(entry => this.#shown(entry, answer.url));
    if (files.length === 0 && entries.length > 0)
      this.#facts.note('needs_build', this.#build ? NOTHING_TO_BUILD(name) : ONLY_SOURCES(name));
    return JSON.stringify({ meta: { 'api-version': '1.1' }, name, versions: [], files });
  }

  #shown(entry: Entry, from: string): object[] {
    const { filename, hashes } = entry;
    const sha256 = hashes?.sha256;
    if (typeof filename !== 'string') return [];
    const isWheel = WHEEL.test(filename);
    if (!isWheel && !(this.#build && SOURCE.test(filename))) return [];
    const url = URL.parse(entry.url, from);
    if (typeof sha256 !== 'string' || !SHA256.test(sha256) || !url) return [];
    if (this.#policy.tooYoung(entry['upload-time'])) return [];
    const metadata = isWheel ? metadataOf(entry['core-metadata']) : null;
    const digest = { algorithm: 'sha256', hex: sha256 } as const;
    const described = isWheel ? this.#describe(filename, sha256) : null;
    this.#files.set(filename, { filename, url, digest, metadata, described });
    return [
      {
        filename,
        url: `/files/${filename}`,
        hashes: { sha256 },
        'requires-python': entry['requires-python'] ?? null,
        yanked: entry.yanked ?? false,
        'core-metadata': metadata ? { sha256: metadata.hex } : described !== null,
        ...(entry.size !== undefined && { size: entry.size }),
        ...(entry['upload-time'] !== undefined && { 'upload-time': entry['upload-time'] }),
      },
    ];
  }
}

/**
 * A page without wheels of machines that this one is not, and without what {@link PythonIndex} does not read: most of a page, which each
 * install would read anew. A version that has no other wheels keeps them, so that it is there and does not fit. For where nothing is built.
 */
export function shortened(page: RegistryPage): RegistryPage {
  if (!page.type.startsWith(JSON_TYPE)) return page;
  let files: readonly Entry[];
  try {
    files = JSON.parse(page.bytes.toString('utf8')).files;
    const fitting = new Set(files.filter(({ filename }) => !FOREIGN.test(filename)).map(versionOf));
    const kept = files.filter(file => !FOREIGN.test(file.filename) || !fitting.has(versionOf(file)));
    const wheels = kept.filter(({ filename }) => WHEEL.test(filename));
    const shown = (wheels.length > 0 ? wheels : kept).map(
      ({ filename, url, hashes, yanked, size, ...rest }) => ({
        ...{ filename, url, hashes: { sha256: hashes.sha256 }, yanked, size },
        'requires-python': rest['requires-python'],
        'core-metadata': rest['core-metadata'],
        'upload-time': rest['upload-time'],
      }),
    );
    return { ...page, bytes: Buffer.from(JSON.stringify({ files: shown })) };
  } catch {
    // Whoever asks for it tells that it is none.
    return page;
  }
}

/** Of a wheel (PEP 427). */
const versionOf = ({ filename }: Entry) => filename.split('-', 2)[1];

function metadataOf(said: unknown): Digest | null {
  const hex = (said as { sha256?: unknown } | null | undefined)?.sha256;
  return typeof hex === 'string' && SHA256.test(hex) ? { algorithm: 'sha256', hex } : null;
}

const ANCHOR = /<a\s([^>]*)>([^<]*)<\/a>/gi;
const ATTRIBUTE = /([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/gi;
const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
};

/** Of a page in HTML (PEP 503): digests are in the fragments of its links. */
function entriesOf(html: string): Entry[] {
  return [...html.matchAll(ANCHOR)].flatMap(([, attributes = '', text = '']) => {
    const has = new Map(
      [...attributes.matchAll(ATTRIBUTE)].map(([, name = '', double, single]) => [
        name.toLowerCase(),
        (double ?? single ?? '').replace(/&(?:lt|gt|amp|quot|#39);/g, each => ENTITIES[each] ?? each),
      ]),
    );
    const href = has.get('href');
    if (href === undefined) return [];
    const [url = '', fragment = ''] = href.split('#');
    const [, sha256] = /(?:^|&)sha256=([0-9a-f]{64})/.exec(fragment) ?? [];
    const [, metadata] =
      /^sha256=([0-9a-f]{64})$/.exec(
        has.get('data-core-metadata') ?? has.get('data-dist-info-metadata') ?? '',
      ) ?? [];
    const requires = has.get('data-requires-python');
    return [
      {
        filename: text.trim(),
        url,
        hashes: { ...(sha256 && { sha256 }) },
        'core-metadata': metadata ? { sha256: metadata } : false,
        yanked: has.has('data-yanked'),
        ...(requires !== undefined && { 'requires-python': requires }),
      },
    ];
  });
}
