import satisfies from 'semver/functions/satisfies.js';
import maxSatisfying from 'semver/ranges/max-satisfying.js';
import type { Digest } from './artifacts.ts';
import type { Facts } from './facts.ts';
import type { Artifact, Offer, Offers, PackageIndex, Page } from './package-index.ts';
import type { Policy } from './policy.ts';
import { ELSEWHERE } from './protocol.ts';
import type { Page as ReadPage, Upstream } from './upstream.ts';

const TYPE = 'application/json';
/** What installers need of a page, and all of it, with the times at which versions were published. */
const SHORT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8';
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** No part is a dot or two, which in an address lead elsewhere. */
const PROJECT = /^\/npm\/((?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*)$/;
const VERSION = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/;
/** Of ranges: those that name a preview, the version that one begins with, and those of all versions. */
const PREVIEW = /\d-[0-9A-Za-z]/;
const FIRST = /^[>=^~ v]*([^ |]+)/;
const ANY = /^[*xX]?$/;
/** What of a version an installer is told; its scripts are not. */
const TOLD = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'bin',
  'os',
  'cpu',
  'libc',
  'engines',
] as const;
/** What looks like an address, as most do; each other one is tried. */
const ADDRESS = /^https?:\/\/[\w.-]+(?::\d{1,4})?\/[\w@%./~+-]*$/;
/** The strongest first (https://www.w3.org/TR/SRI/). */
const INTEGRITY = [
  /(?:^|\s)(sha512)-([A-Za-z0-9+/]+={0,2})(?:\s|$)/,
  /(?:^|\s)(sha256)-([A-Za-z0-9+/]+={0,2})(?:\s|$)/,
];
/** A range, a tag, or another package's name for one: whatever else a requirement says is a place or a path. */
const PLACE = /^(?!npm:).*[:/]|\.t(?:ar\.)?gz$|^\./;
const REQUIRING = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;

interface Version extends Partial<Record<(typeof TOLD)[number], unknown>> {
  readonly dist?: { readonly tarball?: unknown; readonly integrity?: unknown; readonly shasum?: unknown };
}

/** What a page says of a version's artifact. */
interface Dist {
  readonly tarball: string;
  readonly algorithm: Digest['algorithm'];
  /** In hexadecimal digits for SHA-1, in Base64 for others. */
  readonly digest: string;
}

interface Packument {
  readonly 'dist-tags'?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, Version>>;
  readonly time?: Readonly<Record<string, string>>;
}

type Answer = NonNullable<Awaited<ReturnType<Upstream['page']>>>;

/** What of a page installers may see. */
interface Shown {
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, object>>;
}

/**
 * A registry of npm's as installers of a sandbox may see it: pages of packages with addresses of ours and a digest for each version;
 * what a version needs comes from this registry too, or the version can't be installed.
 */
export class NpmIndex implements PackageIndex {
  readonly #upstream: Upstream;
  readonly #policy: Policy;
  readonly #facts: Facts;
  /** The gateway's address as the sandbox knows it. */
  readonly #address: string;
  readonly #offers: Offers;
  readonly #artifacts = new Map<string, { name: string; dist: Dist; from: string }>();
  readonly #pages = new Map<string, Promise<Shown | null>>();

  constructor(parts: {
    upstream: Upstream;
    policy: Policy;
    facts: Facts;
    address: string;
    offers?: Offers;
  }) {
    this.#upstream = parts.upstream;
    this.#policy = parts.policy;
    this.#facts = parts.facts;
    this.#address = parts.address;
    this.#offers = parts.offers ?? new WeakMap();
  }

  find(target: string): Page | Artifact | null {
    const path = target.replace(/%2f/gi, '/').replace(/%2b/gi, '+').replaceAll('%40', '@');
    const [, project] = PROJECT.exec(path) ?? [];
    if (project === undefined) return this.#artifact(path);
    const text = async () => {
      this.#facts.pages.add(project);
      const page = await this.#page(project);
      return page && JSON.stringify({ name: project, 'dist-tags': page.tags, versions: page.versions });
    };
    return { kind: 'page', project, type: TYPE, text };
  }

  /**
   * As bun picks: what a tag names, or `latest` where that is in the range, or the highest release that is, or the highest preview. Where a
   * range names a preview, `latest` comes first only if the range begins with it.
   */
  async pick(name: string, range: string): Promise<string | null> {
    const answer = await this.#answer(name);
    if (!answer) return null;
    const { tags, versions } = this.#offers.get(answer.bytes) ?? this.#offer(name, answer);
    const { latest } = tags;
    const tag = ANY.test(range) ? 'latest' : range;
    if (Object.hasOwn(tags, tag)) return tags[tag]!;
    const isFirst = !PREVIEW.test(range) || FIRST.exec(range)?.[1] === latest;
    if (latest !== undefined && isFirst && satisfies(latest, range)) return latest;
    const releases = versions.filter(version => !isPreview(version));
    return maxSatisfying(releases, range) ?? maxSatisfying([...versions], range);
  }

  #offer(project: string, answer: Answer): Offer {
    const { tags, versions } = this.#shown(project, answer);
    const offer = { tags, versions: Object.keys(versions) };
    this.#offers.set(answer.bytes, offer);
    return offer;
  }

  #page(project: string): Promise<Shown | null> {
    const page = this.#pages.get(project) ?? this.#read(project);
    this.#pages.set(project, page);
    return page;
  }

  #artifact(path: string): Artifact | null {
    const { name, dist, from } = this.#artifacts.get(path) ?? {};
    if (!dist) return null;
    const { tarball, algorithm, digest } = dist;
    const hex = algorithm === 'sha1' ? digest : Buffer.from(digest, 'base64').toString('hex');
    const url = URL.parse(tarball, from);
    if (!url) return null;
    return { kind: 'artifact', name: name!, url, digest: { algorithm, hex }, readInParts: false };
  }

  async #read(project: string): Promise<Shown | null> {
    const answer = await this.#answer(project);
    return answer && this.#shown(project, answer);
  }

  async #answer(project: string): Promise<Answer | null> {
    if (this.#policy.denies(project)) {
      this.#facts.note('denied', `The operator of this server does not allow ${project}`);
      return null;
    }
    const accept = this.#policy.hasAge ? TYPE : SHORT;
    const address = new URL(project.replace('/', '%2f'), this.#upstream.base);
    const answer = await this.#upstream.page(address, { accept, mostBytes: MAX_PAGE_BYTES });
    if (answer === null) this.#facts.note('not_found', `There is no package ${project}`);
    return answer;
  }

  #shown(project: string, answer: Answer): Shown {
    const { versions = {}, time = {}, 'dist-tags': tags = {} } = JSON.parse(answer.text) as Packument;
    const shown: Record<string, object> = {};
    const file = project.replace(/^.*\//, '');
    for (const [version, said] of Object.entries(versions)) {
      const dist = VERSION.test(version) && !this.#policy.tooYoung(time[version]) && distOf(said, answer.url);
      if (!dist) continue;
      const path = `/npm/${project}/-/${file}-${version}.tgz`;
      this.#artifacts.set(path, { name: `${project}@${version}`, dist, from: answer.url });
      shown[version] = { name: project, version, ...told(said), dist: this.#dist(path, dist) };
    }
    return { tags: tagsOf(tags, Object.keys(shown)), versions: shown };
  }

  #dist(path: string, { algorithm, digest }: Dist): object {
    const tarball = `${this.#address}${path}`;
    return algorithm === 'sha1'
      ? { tarball, shasum: digest }
      : { tarball, integrity: `${algorithm}-${digest}` };
  }
}

const isPreview = (version: string) => /^[\d.]+-/.test(version);

/** Null for a version that names no digest, or no address. */
function distOf({ dist }: Version, from: string): Dist | null {
  const tarball = dist?.tarball;
  const digest = digestOf(dist);
  if (!digest || typeof tarball !== 'string') return null;
  return ADDRESS.test(tarball) || URL.canParse(tarball, from) ? { tarball, ...digest } : null;
}

/** The strongest that it has; versions of before 2017 have a SHA-1 alone. */
function digestOf(dist: Version['dist']): Pick<Dist, 'algorithm' | 'digest'> | null {
  const integrity = typeof dist?.integrity === 'string' ? dist.integrity : '';
  for (const pattern of INTEGRITY) {
    const [, algorithm, digest] = pattern.exec(integrity) ?? [];
    if (digest !== undefined) return { algorithm: algorithm as Digest['algorithm'], digest };
  }
  const { shasum } = dist ?? {};
  const known = typeof shasum === 'string' && /^[0-9a-f]{40}$/.test(shasum);
  return known ? { algorithm: 'sha1', digest: shasum } : null;
}

function told(said: Version): object {
  const fields: Record<string, unknown> = {};
  for (const name of TOLD) if (said[name] !== undefined) fields[name] = said[name];
  for (const name of REQUIRING) if (fields[name]) fields[name] = withoutPlaces(fields[name]);
  return fields;
}

function withoutPlaces(requirements: unknown): unknown {
  const entries = Object.entries(requirements as Record<string, unknown>);
  const isPlace = (range: unknown) => typeof range !== 'string' || PLACE.test(range);
  if (!Array.isArray(requirements) && !entries.some(([, range]) => isPlace(range))) return requirements;
  return Object.fromEntries(entries.map(([name, range]) => [name, isPlace(range) ? ELSEWHERE : range]));
}

/** A page without what installers are not told of; one that is none is told as it is. */
export function shortenedPage(page: ReadPage): ReadPage {
  try {
    const { 'dist-tags': tags, versions = {}, time } = JSON.parse(page.bytes.toString('utf8')) as Packument;
    const kept = Object.entries(versions).map(([version, each]) => [version, shortenedVersion(each)]);
    const text = JSON.stringify({ 'dist-tags': tags, versions: Object.fromEntries(kept), time });
    return { ...page, bytes: Buffer.from(text) };
  } catch {
    return page;
  }
}

function shortenedVersion(said: Version): object {
  const { tarball, integrity, shasum } = said.dist ?? {};
  const isWeak = digestOf(said.dist)?.algorithm === 'sha1';
  const fields: Record<string, unknown> = { dist: { tarball, ...(isWeak ? { shasum } : { integrity }) } };
  for (const name of TOLD) fields[name] = said[name];
  return fields;
}

/** Those of the versions that are shown; `latest` is then the highest that is no preview. */
function tagsOf(tags: Readonly<Record<string, string>>, versions: readonly string[]): Record<string, string> {
  const known = new Set(versions);
  const kept = Object.fromEntries(Object.entries(tags).filter(([, version]) => known.has(version)));
  const stable = versions.filter(version => !version.includes('-')).sort(byVersion);
  const latest = kept.latest ?? stable.at(-1) ?? [...versions].sort(byVersion).at(-1);
  return latest === undefined ? kept : { ...kept, latest };
}

function byVersion(one: string, other: string): number {
  const [a, b] = [one, other].map(version => version.split(/[-+]/, 1)[0]!.split('.').map(Number));
  const at = a!.findIndex((part, i) => part !== b![i]);
  return at < 0 ? 0 : a![at]! - b![at]!;
}
