import type { Digest } from './artifacts.ts';
import { Policy } from './policy.ts';
import { ELSEWHERE, type Telling } from './protocol.ts';
import type { Page } from './upstream.ts';

/** A package's name, of which no part is a dot or two: in an address they lead elsewhere. */
export const NAME = '(?:@[\\w~-][\\w.~-]*\\/)?[\\w~-][\\w.~-]*';
const WHOLE_NAME = new RegExp(`^${NAME}$`);
const VERSION = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/;
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
export interface Dist {
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

/** What installers are told of a page, and where its artifacts are. */
interface Told {
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, object>>;
  readonly artifacts: Readonly<Record<string, Dist>>;
}

/** @throws {Error} it is no page */
export function tell(
  project: string,
  { text, url }: { text: string; url: string },
  { policy, address }: { policy: Policy; address: string },
): Told {
  const { versions = {}, time = {}, 'dist-tags': tags = {} } = JSON.parse(text) as Packument;
  const shown: Record<string, object> = {};
  const artifacts: Record<string, Dist> = {};
  for (const [version, said] of Object.entries(versions)) {
    const dist = VERSION.test(version) && !policy.tooYoung(time[version]) && distOf(said, url);
    if (!dist) continue;
    artifacts[version] = dist;
    const tarball = `${address}/npm/${project}/-/${fileOf(project)}-${version}.tgz`;
    shown[version] = { name: project, version, ...told(said), dist: { tarball, ...digestTold(dist) } };
  }
  return { tags: tagsOf(tags, Object.keys(shown)), versions: shown, artifacts };
}

/** As an installer reads it. */
export const textOf = (project: string, { tags, versions }: Omit<Told, 'artifacts'>) =>
  JSON.stringify({ name: project, 'dist-tags': tags, versions });

/** A page as installers are told it; one that is none stays as it is. */
export function toldPage(page: Page, name: string, telling: Telling): Page {
  try {
    const project = decodeURIComponent(name);
    if (!WHOLE_NAME.test(project)) return page;
    const parts = { policy: new Policy(telling), address: telling.address };
    const all = tell(project, { text: page.bytes.toString('utf8'), url: page.url }, parts);
    const artifacts = Buffer.from(JSON.stringify(all.artifacts));
    return { ...page, bytes: Buffer.from(textOf(project, all)), artifacts };
  } catch {
    return page;
  }
}

/** Of a package's artifacts, the first part of their names. */
export const fileOf = (project: string) => project.replace(/^.*\//, '');

const digestTold = ({ algorithm, digest }: Dist) =>
  algorithm === 'sha1' ? { shasum: digest } : { integrity: `${algorithm}-${digest}` };

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
