import type { GroupDirectories } from '../cgroup/cgroup.ts';

/**
 * What the server and the launcher say to each other: JSON lines on the launcher's standard input and output. The
 * launcher belongs to the server and runs outside every sandbox, so neither distrusts the other.
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
  | { readonly op: 'start'; readonly id: string; readonly key: string; readonly limits: StartLimits }
  /** The agent has answered: the launcher's own hold on the sandbox's disk can go. */
  | { readonly op: 'settled'; readonly id: string }
  | { readonly op: 'limitMemory'; readonly id: string; readonly bytes: number }
  /** Gives it other limits before its first use, its disk included. */
  | ({ readonly op: 'resize'; readonly id: string } & NewLimits)
  /** One at a time for a sandbox; answered by `forked`. */
  | ({ readonly op: 'fork'; readonly id: string } & PreforkRequest)
  | { readonly op: 'stop'; readonly id: string };

/** A program for a sandbox that comes from an interpreter which waits, started with the same words and environment. */
export interface PreforkRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The program's own descriptors and one of the sandbox's user namespace, as its agent has them; -1 for none. */
  readonly ends: { readonly [name in 'stdin' | 'stdout' | 'stderr' | 'control' | 'users']: number };
}

/** What can be changed of it. */
export type NewLimits = Pick<StartLimits, 'memoryBytes' | 'diskBytes' | 'cpus'>;

export interface StartLimits {
  readonly memoryBytes: number;
  /** Of all its files together. */
  readonly diskBytes: number;
  readonly cpus: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly inodes: number;
}

export type LauncherReply =
  /** Once: it takes requests. `forks`: sandboxes are forked, and so can be what waits for a `fork`. */
  | { readonly event: 'ready'; readonly forks: boolean }
  /** Once, instead: it can't work here. */
  | { readonly event: 'unable'; readonly reason: string; readonly cure: string | null }
  /** It was started (its agent connects by itself), or not. */
  | {
      readonly event: 'started';
      readonly id: string;
      readonly groups: GroupDirectories;
      /** Processes and threads of its agent, which its limit of processes allows for; null where that is known once it has answered. */
      readonly agentTasks: number | null;
    }
  | { readonly event: 'refused'; readonly id: string; readonly problem: string }
  /** The sandbox has ended; `stderr` is what it said outside of its programs, at most a few hundred bytes. */
  | { readonly event: 'ended'; readonly id: string; readonly stderr: string }
  /** To `limitMemory` and `resize`, in the order asked. */
  | { readonly event: 'limited'; readonly id: string; readonly done: boolean }
  /** To `fork`: its number inside the sandbox, or null where there is no such interpreter (yet). */
  | { readonly event: 'forked'; readonly id: string; readonly pid: number | null }
  /** Nothing of it remains. */
  | { readonly event: 'stopped'; readonly id: string };
