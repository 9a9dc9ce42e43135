import type { InstalledPackage } from '../layer.ts';
import type { Facts } from './facts.ts';
import type { FrozenTree } from './freeze.ts';
import { GoIndex } from './go-index.ts';
import { isSum, modulesIn } from './go-modules.ts';
import { spelledInGo } from './go-paths.ts';
import type { IndexSettings } from './index-settings.ts';
import { NpmIndex } from './npm-index.ts';
import { askedFor, isManifest, packagesIn } from './npm-packages.ts';
import { toldPage } from './npm-page.ts';
import type { Offers, PackageIndex } from './package-index.ts';
import { placesIn } from './places.ts';
import type { Policy } from './policy.ts';
import type { EcosystemName, RegistryEvent, Telling } from './protocol.ts';
import { PythonIndex, shortened } from './python-index.ts';
import { spelledInPython } from './spelled-in-python.ts';
import type { Page, Upstream } from './upstream.ts';
import { checkRecords, isRecord } from './wheel-records.ts';

/** What the registry's process knows of an ecosystem. */
interface Kind {
  /** A name as its index spells it, and as the operator's are compared with it. */
  spelled(name: string): string;
  index(parts: {
    upstream: Upstream;
    policy: Policy;
    facts: Facts;
    address: string;
    build: boolean;
    /** A directory of what is known of artifacts, by `describedAs`. */
    described: string;
    settings: IndexSettings;
    /** For an index that picks. */
    offers?: Offers;
  }): PackageIndex;
  /** A page of its index by its address below that, without what no install reads of it that builds nothing. */
  readonly shortened?: (page: Page, name: string, telling: Telling) => Page;
  /** A tree may hold links that stay in it. */
  readonly links: boolean;
  /** Files of a tree that `check` reads. */
  keeps(path: string): boolean;
  /** What was installed. @throws {BadTree} */
  check(tree: FrozenTree, facts: Facts): InstalledPackage[];
  /** What more is told of a tree, where layers are found by it. */
  readonly told?: (tree: FrozenTree, installed: readonly InstalledPackage[], facts: Facts) => Told;
}

type Told = Pick<Extract<RegistryEvent, { event: 'done' }>, 'places' | 'asked'>;

/** Where wheels are installed in a tree. */
const PYTHON = 'python';

export const kinds: Readonly<Record<EcosystemName, Kind>> = {
  python: {
    spelled: spelledInPython,
    index: parts => new PythonIndex(parts),
    shortened,
    links: false,
    keeps: isRecord(PYTHON),
    check: (tree, facts) => checkRecords(tree, PYTHON, facts),
  },
  npm: {
    spelled: name => name,
    index: parts => new NpmIndex(parts),
    shortened: toldPage,
    links: true,
    keeps: isManifest,
    check: packagesIn,
    told: (tree, installed, facts) => ({ places: placesIn(tree), asked: askedFor(installed, facts) }),
  },
  go: {
    spelled: spelledInGo,
    index: parts => new GoIndex(parts),
    links: false,
    keeps: isSum,
    check: modulesIn,
  },
};
