import type { GroupParents } from '../cgroup/cgroup.ts';

/**
 * Protocol between server and launcher: JSON lines on the launcher's standard input and output; the zygote's frames (zygote.ts) once it
 * is ready and sandboxes are forked. The launcher belongs to the server and runs outside of sandboxes, so neither distrusts the other.
 */

/** The first line to the launcher. */
export interface LauncherSetup {
  /** Sandboxes are forked from a zygote where this machine can do that; false has bubblewrap start them. */
  readonly fork: boolean;
  /** Names the server's control groups; two servers on one machine differ in it. */
  readonly instance: string;
  /** The server runs as root: every sandbox gets a user of its own. */
  readonly root: boolean;
  /** Name of the abstract socket on which the server waits for sandboxes, without the leading NUL. */
  readonly socket: string;
  /** Programs that every sandbox finds in /usr/local/bin: name and host path. */
  readonly programs: readonly { readonly name: string; readonly path: string }[];
  /** Installations that lie outside what sandboxes see of /usr. */
  readonly trees: readonly Tree[];
  /** Host path of the directory with the agent and the kernels. */
  readonly library: string;
  /** Host path of the layers that sandboxes see at /packages, also of those that come later; null where there are none. */
  readonly packages: string | null;
}

/** A directory of the host that is shown in /usr/local under a name of its own. */
export interface Tree {
  readonly source: string;
  /** Path below /usr/local. */
  readonly target: string;
  /** What of it is on the PATH: name, and path below the directory. */
  readonly programs: Readonly<Record<string, string>>;
}

export type LauncherRequest =
  /** `key` proves to the server that a connection is this sandbox's: it says key and id, a space between, on one line. */
  | ({
      readonly op: 'start';
      readonly id: string;
      readonly key: string;
      readonly limits: StartLimits;
    } & StartOptions)
  /** The agent has answered: the launcher's own hold on the sandbox's disk can go. */
  | { readonly op: 'settled'; readonly id: string }
  | { readonly op: 'limitMemory'; readonly id: string; readonly bytes: number }
  /** Changes limits before the first use, the disk's included. */
  | ({ readonly op: 'resize'; readonly id: string } & NewLimits)
  /** Moves the process that has this pid inside, which waits to begin, into a leaf of its own; answered by `placed`. */
  | { readonly op: 'place'; readonly id: string; readonly pid: number }
  /** The program that had this leaf has ended. */
  | { readonly op: 'give'; readonly id: string; readonly leaf: string }
  | { readonly op: 'stop'; readonly id: string };

/** A program to be forked from a template that was started with the same command and environment. */
export interface PreforkRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The program's own descriptors and one of the sandbox's user namespace, as its agent has them; -1 for none. */
  readonly ends: { readonly [name in 'stdin' | 'stdout' | 'stderr' | 'control' | 'file' | 'users']: number };
}

export interface StartOptions {
  /** Its group has leaves, so that programs that run at once can be told apart (src/cgroup/leaves.ts). */
  readonly divided: boolean;
  /** Its files are seen at USER_HOME too. */
  readonly home: boolean;
  /** Blocks of addresses that lead to itself, in a network where programs may listen on any port; null for the usual one. */
  readonly network: readonly string[] | null;
}

/** Limits that can be changed. */
export type NewLimits = Pick<StartLimits, 'memoryBytes' | 'diskBytes' | 'cpus'>;

export interface StartLimits {
  readonly memoryBytes: number;
  /** Of all its files together, bytes. */
  readonly diskBytes: number;
  readonly cpus: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly inodes: number;
}

/** A program that was forked from a template. */
export interface Forked {
  readonly pid: number;
  readonly leaf: string | null;
}

/** What is told where sandboxes could be forked but for this. */
export function unforkable(error: unknown): string {
  const reason = error instanceof Error ? error.message : error;
  return `Sandboxes are started by bubblewrap: none can be forked (${reason}).\n`;
}

export type LauncherReply =
  /** Once: requests are taken, by the launcher or, where sandboxes are forked, by the zygote in its place. */
  | {
      readonly event: 'ready';
      readonly forks: boolean;
      /** Where the groups of sandboxes lie, each named by its id. */
      readonly groups: GroupParents;
    }
  /** Once, instead of `ready`: the launcher can't work here. */
  | { readonly event: 'unable'; readonly reason: string; readonly remedy: string | null }
  /** Answer to `start` where the sandbox can't be started; otherwise its agent connects by itself, which answers it. */
  | { readonly event: 'refused'; readonly id: string; readonly problem: string }
  /** The sandbox has ended by itself; `stderr` is what it said outside of its programs, at most a few hundred bytes. */
  | { readonly event: 'ended'; readonly id: string; readonly stderr: string }
  /** Answer to `limitMemory` and `resize`, in order. */
  | { readonly event: 'limited'; readonly id: string; readonly done: boolean }
  /** Answer to `place`, in order; null where it can't be done. */
  | { readonly event: 'placed'; readonly id: string; readonly leaf: string | null }
  /** Nothing of it remains. */
  | { readonly event: 'stopped'; readonly id: string };
