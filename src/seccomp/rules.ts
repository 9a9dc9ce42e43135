import type { DEPENDS } from './table.ts';

/**
 * Conditions on arguments. But for pointers only the lower 32 bits are looked at: each argument named here is an `int` to
 * the kernel, which drops the upper half too.
 */
export type Test =
  | { readonly argument: number; readonly in: readonly number[] }
  | { readonly argument: number; readonly notIn: readonly number[] }
  /** None of these bits is set. */
  | { readonly argument: number; readonly without: number }
  /** A pointer to nothing. */
  | { readonly argument: number; readonly isNull: true };

export interface Rule {
  /** Allowed when every test of one of these lists holds. */
  readonly allowedIf: readonly (readonly Test[])[];
  readonly otherwise: number;
}

export const ERRNO = { none: 0, EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME's bit means a signal here. */
const NEW_NAMESPACES = 0x7e02_0000;
const [UNIX, INET, INET6, NETLINK] = [1, 2, 10, 16];
/** Any, ICMP, TCP, UDP, ICMPv6: what a program may name without making the kernel load a module. */
const PROTOCOLS = [0, 1, 6, 17, 58];
const NETLINK_ROUTE = 0;
const RLIMIT_CORE = 4;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/** The agent shares its user with every program, and would be late for its deadlines if one could give it a lower rank. */
const AGENT = 1;
const notTheAgent: Rule = { allowedIf: [[{ argument: 0, notIn: [AGENT] }]], otherwise: ERRNO.EPERM };

export const RULES: Readonly<Record<keyof typeof DEPENDS, Rule>> = {
  clone: { allowedIf: [[{ argument: 0, without: NEW_NAMESPACES }]], otherwise: ERRNO.EPERM },
  // Its flags lie in memory, where a filter can't look. Libraries fall back to clone.
  clone3: { allowedIf: [], otherwise: ERRNO.ENOSYS },
  // These push characters into a terminal.
  ioctl: { allowedIf: [[{ argument: 1, notIn: [TIOCSTI, TIOCLINUX] }]], otherwise: ERRNO.EPERM },
  // The default, and the question which one it is.
  personality: { allowedIf: [[{ argument: 0, in: [0, 0xffff_ffff] }]], otherwise: ERRNO.EPERM },
  // The caller's own limits only: the agent shares its user with every program, and a CPU limit ends what has it. That of
  // core files stays: at any other value a crash may start a program of the host's, with what crashed for its input.
  prlimit64: {
    allowedIf: [
      [
        { argument: 0, in: [0] },
        { argument: 1, notIn: [RLIMIT_CORE] },
      ],
      [
        { argument: 0, in: [0] },
        { argument: 2, isNull: true },
      ],
    ],
    otherwise: ERRNO.EPERM,
  },
  setrlimit: { allowedIf: [[{ argument: 0, notIn: [RLIMIT_CORE] }]], otherwise: ERRNO.EPERM },
  socket: {
    allowedIf: [
      [{ argument: 0, in: [UNIX] }],
      [
        { argument: 0, in: [INET, INET6] },
        { argument: 2, in: PROTOCOLS },
      ],
      [
        { argument: 0, in: [NETLINK] },
        { argument: 2, in: [NETLINK_ROUTE] },
      ],
    ],
    otherwise: ERRNO.EAFNOSUPPORT,
  },
  sched_setaffinity: notTheAgent,
  sched_setattr: notTheAgent,
  sched_setparam: notTheAgent,
  sched_setscheduler: notTheAgent,
  // A process or a group, and not all of a user's.
  setpriority: {
    allowedIf: [
      [
        { argument: 0, in: [0, 1] },
        { argument: 1, notIn: [AGENT] },
      ],
    ],
    otherwise: ERRNO.EPERM,
  },
  ioprio_set: {
    allowedIf: [
      [
        { argument: 0, in: [1, 2] },
        { argument: 1, notIn: [AGENT] },
      ],
    ],
    otherwise: ERRNO.EPERM,
  },
  socketpair: { allowedIf: [[{ argument: 0, in: [UNIX] }]], otherwise: ERRNO.EAFNOSUPPORT },
  // It would flush every disk of the host; a sandbox's own files lie in memory. It says that it was done.
  sync: { allowedIf: [], otherwise: ERRNO.none },
  syncfs: { allowedIf: [], otherwise: ERRNO.none },
};
