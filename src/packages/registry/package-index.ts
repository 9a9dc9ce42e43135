import type { Digest } from './artifacts.ts';

/** A page about a project, made anew from what the registry says of it. */
export interface Page {
  readonly kind: 'page';
  /** Under which it is told of; null for what is about no project. */
  readonly project: string | null;
  readonly type: string;
  /** Null where there is none that may be seen. @throws {Unreachable | TooLarge} */
  text(): Promise<string | Uint8Array | null>;
}

export interface Artifact {
  readonly kind: 'artifact';
  /** Under which it is told of, and known as served; null for what only describes another. */
  readonly name: string | null;
  readonly url: URL;
  readonly digest: Digest;
  /** An installer may read parts of it again and again, so that it is fetched whole first. */
  readonly readInParts: boolean;
}

/** An artifact whose digest the installer learns elsewhere, and checks. */
export interface Download {
  readonly kind: 'download';
  readonly name: string;
  readonly url: URL;
  /** Whether it may be had. @throws {Unreachable | TooLarge} */
  allowed(): Promise<boolean>;
}

/** What a page offers to who picks, by the bytes of the page: as long as these are kept, for all who pick. */
export type Offers = WeakMap<Uint8Array, Offer>;

export interface Offer {
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly string[];
}

/** A registry as installers of a sandbox may see it: by paths of the gateway's, of which each names a page or an artifact. */
export interface PackageIndex {
  /** Null for every path that names nothing. Artifacts are known once the page that names them was read. */
  find(path: string): Page | Artifact | Download | null;
  /** The version that an installer takes where a list names this; null where that is not certain. Absent where it never is. */
  pick?(name: string, versions: string): Promise<string | null>;
}
