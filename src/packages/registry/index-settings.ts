/** Where an index is, and how it is asked. */
export interface IndexSettings {
  /** Its address, with a user and password where it wants them. */
  readonly url: string;
  /** The header that its own host is sent; null where none is needed beside the address. */
  readonly authorization: string | null;
}
