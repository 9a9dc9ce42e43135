/** Where an index is, and how it is asked. */
export interface IndexSettings {
  /** Its address, with a user and password where it wants them. */
  readonly url: string;
  /** The header that its own host is sent; null where none is needed beside the address. */
  readonly authorization: string | null;
  /** Of Go: who says what the digests of modules are; null or absent where nobody does. */
  readonly checksums?: ChecksumDatabase | null;
}

/** A log of the digests of modules that is signed (go.dev/ref/mod#checksum-database). */
export interface ChecksumDatabase {
  /** Its name, with its public key where Go does not know that itself. */
  readonly key: string;
  /** Its own address, for an index that does not pass it on. */
  readonly url: string;
  /** Modules that it does not know, as GONOSUMDB has them; empty for none. */
  readonly except: string;
}
