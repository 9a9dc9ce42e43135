/** Of a confined process: JSON lines of the server's to it, and of its to the server. */
export const CONTROL_FD = 3;

/** What the first line to it holds, beside what it is for. */
export interface ConfinedSetup {
  /** Becomes this user before it hears anything of anybody; null: stays who it is. */
  readonly uid: number | null;
  /** Name of a file of more certificates to trust, beside Node's own and the machine's; null for none. */
  readonly certificates: string | null;
  /** It will speak TLS, and prepares for it before it is that user; without, it does when it is about to. */
  readonly secure?: boolean;
}
