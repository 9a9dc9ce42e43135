import satisfies from 'semver/functions/satisfies.js';
import maxSatisfying from 'semver/ranges/max-satisfying.js';
import type { Facts } from './facts.ts';
import { type Dist, fileOf, NAME, tell, textOf } from './npm-page.ts';
import type { Artifact, Offer, Offers, PackageIndex, Page } from './package-index.ts';
import type { Policy } from './policy.ts';
import type { Upstream } from './upstream.ts';

const TYPE = 'application/json';
/** What installers need of a page, and all of it, with the times at which versions were published. */
const SHORT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8';
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const PROJECT = new RegExp(`^/npm/(${NAME})$`);
const ARTIFACT = new RegExp(`^/npm/(${NAME})/-/([^/]+).tgz$`);
/** Of ranges: those that name a preview, the version that one begins with, and those of all versions. */
const PREVIEW = /\d-[0-9A-Za-z]/;
const FIRST = /^[>=^~ v]*([^ |]+)/;
const ANY = /^[*xX]?$/;
/** A page as it is told, and its artifacts by their versions, which are read when one is first asked for. */
interface Read {
  readonly text: string | Buffer;
  /** Its address. */
  readonly from: string;
  artifacts(): Readonly<Record<string, Dist>>;
}

type Answer = NonNullable<Awaited<ReturnType<Upstream['page']>>>;

/**
 * A registry of npm's as installers of a sandbox may see it: pages of packages with addresses of ours and a digest for each version;
 * what a version needs comes from this registry too, or the version can't be installed.
 */
export class NpmIndex implements PackageIndex {
  readonly #upstream: Upstream;
  readonly #policy: Policy;
  readonly #facts: Facts;
  readonly #telling: { policy: Policy; address: string };
  readonly #offers: Offers;
  readonly #read = new Map<string, Read>();
  readonly #pages = new Map<string, Promise<Read | null>>();

  constructor(parts: {
    upstream: Upstream;
    policy: Policy;
    facts: Facts;
    /** The gateway's address as the sandbox knows it. */
    address: string;
    offers?: Offers;
  }) {
    this.#upstream = parts.upstream;
    this.#policy = parts.policy;
    this.#facts = parts.facts;
    this.#telling = parts;
    this.#offers = parts.offers ?? new WeakMap();
  }

  find(target: string): Page | Artifact | null {
    const path = target.replace(/%2f/gi, '/').replace(/%2b/gi, '+').replaceAll('%40', '@');
    const [, project] = PROJECT.exec(path) ?? [];
    if (project === undefined) return this.#artifact(path);
    const text = async () => {
      this.#facts.pages.add(project);
      return (await this.#page(project))?.text ?? null;
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
    const { tags, versions } = answer.artifacts ? offered(answer) : tell(project, answer, this.#telling);
    const offer = { tags, versions: Object.keys(versions) };
    this.#offers.set(answer.bytes, offer);
    return offer;
  }

  #page(project: string): Promise<Read | null> {
    const page = this.#pages.get(project) ?? this.#readPage(project);
    this.#pages.set(project, page);
    return page;
  }

  #artifact(path: string): Artifact | null {
    const [, project = '', file = ''] = ARTIFACT.exec(path) ?? [];
    const { from, artifacts } = this.#read.get(project) ?? {};
    const version = file.slice(fileOf(project).length + 1);
    const known = artifacts?.();
    if (!known || file !== `${fileOf(project)}-${version}` || !Object.hasOwn(known, version)) return null;
    const { tarball, algorithm, digest } = known[version]!;
    const hex = algorithm === 'sha1' ? digest : Buffer.from(digest, 'base64').toString('hex');
    const url = URL.parse(tarball, from);
    if (!url) return null;
    const name = `${project}@${version}`;
    return { kind: 'artifact', name, url, digest: { algorithm, hex }, readInParts: false };
  }

  async #readPage(project: string): Promise<Read | null> {
    const answer = await this.#answer(project);
    if (!answer) return null;
    const read = answer.artifacts ? toldAlready(answer, answer.artifacts) : this.#told(project, answer);
    this.#read.set(project, read);
    return read;
  }

  #told(project: string, answer: Answer): Read {
    const told = tell(project, answer, this.#telling);
    return { text: textOf(project, told), from: answer.url, artifacts: () => told.artifacts };
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
}

function toldAlready({ bytes, url }: Answer, artifacts: Buffer): Read {
  let known: Readonly<Record<string, Dist>> | undefined;
  return { text: bytes, from: url, artifacts: () => (known ??= JSON.parse(artifacts.toString('utf8'))) };
}

/** By a page that is told already. */
function offered({ bytes }: Answer): { tags: Offer['tags']; versions: object } {
  const { 'dist-tags': tags, versions } = JSON.parse(bytes.toString('utf8'));
  return { tags, versions };
}

const isPreview = (version: string) => /^[\d.]+-/.test(version);
