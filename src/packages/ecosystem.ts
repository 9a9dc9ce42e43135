import type { Layer } from './layer.ts';
import type { Description } from './layer-description.ts';
import type { Reason } from './registry/facts.ts';
import type { ChecksumDatabase } from './registry/index-settings.ts';
import type { EcosystemName, RegistryEvent, Work } from './registry/protocol.ts';
import type { Requirement } from './requirements.ts';

/** What was made of an install. */
export type Done = Extract<RegistryEvent, { event: 'done' }>;

export interface Step {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface StepParts {
  /** Name of the installer's layer; empty where the sandbox has it. */
  readonly toolLayer: string;
  readonly gateway: string;
  readonly list: readonly Requirement[];
  readonly checksums: ChecksumDatabase | null;
  /** Sources are built, and scripts of packages run. */
  readonly build: boolean;
}

/** An installer: from the index by its digest, the service's own, or what the sandbox has itself. */
export type Tool =
  | Extract<Work, { kind: 'tool' }>
  | { readonly kind: 'own'; readonly program: 'bun' }
  | { readonly kind: 'inside' };

/** How packages of one language are installed and found, as data that runs nothing. */
export interface Ecosystem {
  readonly name: EcosystemName;
  /** The installer's name in answers; and what else a client may call it. */
  readonly manager: string;
  readonly otherManagers: readonly string[];
  /** Links that a sandbox gets, and to what below a layer. */
  readonly links: Readonly<Record<string, string>>;
  /** What programs find of a layer on their PATH; null for nothing. */
  readonly path: string | null;
  /** What is installed runs on any runtime and any version of the language, in all but images that clients bring. */
  readonly portable: boolean;
  /** Packages may have to be built or bring scripts, which is done where a request allows it. */
  readonly builds: boolean;
  /** A name as its index spells it. */
  spelled(name: string): string;
  /** Whether a requirement's words allow a version, as far as that is certain. */
  allows(versions: string, version: string): boolean;
  /** @throws {ServiceError} VALIDATION_ERROR naming the entry */
  parse(list: readonly string[], field: string): Requirement[];
  /** The list that a file of this name holds; null for a name that means nothing here. @throws {ServiceError} VALIDATION_ERROR */
  listIn(file: string, text: string): string[] | null;
  /** Null where there is none for this machine. */
  tool(arch: string): Tool | null;
  /** Files of the sandbox of an install that its installer reads, by their paths. */
  files(list: readonly Requirement[]): Readonly<Record<string, string>>;
  /** Finds out which versions a list comes to, without fetching them: a layer of the same is taken instead. Null where that costs as much. */
  readonly resolution: {
    step(parts: StepParts): Step;
    /** Each with its version; null for words that do not say all of it. */
    pinsIn(words: string): readonly string[] | null;
    /** Whether what was installed is just these versions, and nothing else was near: whatever the installer has said. */
    holds(done: Pick<Layer, 'installed'> & Pick<Done, 'asked'>, pins: readonly string[]): boolean;
    /** How layers are put together of single versions, each of which lies by itself; null where they do not. */
    readonly parts: {
      /** Installs just these versions. */
      only(parts: StepParts, pins: readonly string[]): Step;
      /** What a pin says: the version by the package's name. */
      versionIn(pin: string): Readonly<Record<string, string>>;
      /** The file about a version that lies by itself, by which others are resolved. */
      readonly about: Description;
    } | null;
  } | null;
  /**
   * What a list comes to is what each of its requirements comes to by itself, where these agree: its layer is put together of layers of
   * those, as far as they are there and were resolved a short while ago.
   */
  readonly joinsLists: boolean;
  /** What is taken where a list names a package is known by that package's page (registry/package-index.ts, `pick`). */
  readonly picks: boolean;
  /** What is run there, one after the other. */
  steps(parts: StepParts): Step[];
  /** What is run when the layer is used already, for a better one that takes its place; empty where there is nothing to better. */
  readonly later: readonly Step[];
  /** The directory inside that becomes the layer. */
  readonly out: string;
  /** What the installer's words say about why it failed; null when they are about something else. */
  reasonOf(words: string): Reason | null;
  /** What they say that there is not; absent where its index's answers tell that. */
  missingIn?(words: string): string | null;
}
