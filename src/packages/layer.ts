/** What was installed into a layer. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly bytes: number;
  /** Of the artifact it came from, such as `sha256:…`; null where it is not known. */
  readonly digest: string | null;
}

/** Installed packages as they lie on disk: never changed, seen by every sandbox at {@link STORE}. */
export interface Layer {
  /** By what it was made for and what it holds (layer-id.ts). */
  readonly id: string;
  /** Of its directory: random, so that who was not told it does not find it. */
  readonly name: string;
  readonly bytes: number;
  readonly installed: readonly InstalledPackage[];
  /** It is what its list came to, and nothing of that was refused; absent where that is not known. */
  readonly whole?: boolean | undefined;
  /** What lies where another layer may have something else (registry/places.ts); absent where none is put together with it. */
  readonly places?: Readonly<Record<string, string>> | undefined;
  /**
   * Versions of packages by their names, as others than its own install know them; absent where none does. What its install says of
   * versions goes for the list that it was for, and finds it for no other.
   */
  readonly sure?: Readonly<Record<string, string>> | undefined;
}

/** Where every sandbox sees the layers. */
export const STORE = '/packages';

/** What one layer may hold. */
export const LAYER_BOUNDS = { bytes: 1024 * 1024 * 1024, entries: 100_000 };
