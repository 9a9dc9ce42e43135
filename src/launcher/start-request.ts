/** Request to start a sandbox, for the zygote or bubblewrap. */
export interface StartRequest {
  /** The files whose writers enter its control groups. */
  readonly procs: readonly string[];
  /** The directory of its only control group, where it has but one and can be born in it. */
  readonly born: string | null;
  /** The host's user that it becomes first; null stays who it is. */
  readonly uid: number | null;
  readonly openFiles: number;
  /** Its files are seen at USER_HOME too. */
  readonly home: boolean;
  /** See StartOptions (protocol.ts). */
  readonly network: readonly string[] | null;
  /** Name of the server's abstract socket, and what to say there first. */
  readonly socket: string;
  readonly greeting: string;
}

/** A started process. */
export interface Started {
  kill(): void;
  /** Resolves to its standard error when it has ended. */
  readonly ended: Promise<string>;
}
