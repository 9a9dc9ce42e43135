import { SOCKET_OPTIONS } from './socket-options.ts';
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
  /** This bit is set. */
  | { readonly argument: number; readonly with: number }
  /** A pointer to nothing. */
  | { readonly argument: number; readonly isNull: true };

export interface Rule {
  /** Allowed when every test of one of these lists holds. */
  readonly allowedIf: readonly (readonly Test[])[];
  /** Not done when every test of one of these lists holds, and answered as if it were. No list of `allowedIf` holds then. */
  readonly pretendedIf?: readonly (readonly Test[])[];
  /** Fails with an error of its own when every test of one of these lists holds. No list of `allowedIf` holds then. */
  readonly failsIf?: readonly { readonly tests: readonly Test[]; readonly error: number }[];
  readonly otherwise: number;
}

export const ERRNO = {
  none: 0,
  EPERM: 1,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSYS: 38,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
} as const;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME's bit means a signal here. */
const NEW_NAMESPACES = 0x7e02_0000;
const [UNIX, INET, INET6, NETLINK] = [1, 2, 10, 16];
const NETLINK_ROUTE = 0;
/** Any, ICMP, TCP, UDP, ICMPv6: what a program may name without making the kernel load a module. */
const PROTOCOLS = [0, 1, 6, 17, 58];
const RLIMIT_CORE = 4;
/** F_SETLEASE, F_NOTIFY and F_SETDELEG of linux/fcntl.h. */
const WATCH_FILES = [1024, 1026, 1040];
/** F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW: locks that no process is named for (src/runtimes/watch-locks.ts). */
const LOCKS_OF_NOBODY = [36, 37, 38];
/** CLONE_FILES, CLONE_THREAD. */
const SHARE_FILES = 0x400;
const THREAD = 0x1_0000;
/** PR_SET_SECCOMP; PR_SCHED_CORE; PR_SET_VMA, whose names are charged to nobody. */
const UNWANTED_PRCTL = [22, 62, 0x5356_4d41];
/** SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES. */
const SECCOMP_QUESTIONS = [2, 3];
const SECCOMP_SET_MODE_FILTER = 1;
/**
 * What a debugger does to what it has started, by linux/ptrace.h and asm/ptrace-abi.h: TRACEME; PEEKTEXT, PEEKDATA, POKETEXT, POKEDATA;
 * CONT, KILL, SINGLESTEP; GETREGS, SETREGS, GETFPREGS, SETFPREGS; DETACH; SETOPTIONS, GETEVENTMSG, GETSIGINFO, GETREGSET, SETREGSET. None
 * of them begins to trace another: a child offers itself, and what it makes may follow. A request is a `long`; one whose upper half is
 * not zero is none that the kernel knows.
 */
const TRACE_CHILDREN = [0, 1, 2, 4, 5, 7, 8, 9, 12, 13, 14, 15, 17, 0x4200, 0x4201, 0x4202, 0x4204, 0x4205];
/** Huge pages are counted by a controller of their own. */
const HUGE = { mmap: 0x4_0000, shmget: 0o4000, memfd: 4 } as const;
/** A datagram that more is to be added to lies where no control group counts it. No interpreter here sends like that. */
const MSG_MORE = 0x8000;
const nothingAdded = (flags: number): Rule => ({
  allowedIf: [[{ argument: flags, without: MSG_MORE }]],
  otherwise: ERRNO.EOPNOTSUPP,
});
const UNWANTED_IOCTL = [
  // Push characters into a terminal, or take the console's: TIOCSTI, TIOCLINUX, TIOCCONS.
  0x5412, 0x541c, 0x541d,
  // Has the kernel load a line discipline, of which some are old and little trodden: TIOCSETD.
  0x5423,
  // Have it load bridges, VLANs and frame relay: SIOCGIFBR, SIOCSIFBR, SIOCBRADDBR, SIOCBRDELBR, SIOCADDDLCI, SIOCDELDLCI,
  // SIOCGIFVLAN, SIOCSIFVLAN.
  0x8940,
  0x8941, 0x89a0, 0x89a1, 0x8980, 0x8981, 0x8982, 0x8983,
];

/** The agent shares its user with every program, and would be late for its deadlines if one could give it a lower rank. */
const AGENT = 1;
const notTheAgent: Rule = { allowedIf: [[{ argument: 0, notIn: [AGENT] }]], otherwise: ERRNO.EPERM };

function option({ level, names }: { level: number; names: Readonly<Record<string, number>> }): Test[] {
  return [
    { argument: 1, in: [level] },
    { argument: 2, in: Object.values(names) },
  ];
}

export type Rules = Readonly<Record<keyof typeof DEPENDS, Rule>>;

/** Of a sandbox: its agent's, and with what that adds its programs'. */
export const RULES: Rules = {
  // Locks on files belong to a table of descriptors, and a process may leave that to another one with its own name on them.
  clone: {
    allowedIf: [
      [{ argument: 0, without: NEW_NAMESPACES | SHARE_FILES }],
      [
        { argument: 0, without: NEW_NAMESPACES },
        { argument: 0, with: THREAD },
      ],
    ],
    otherwise: ERRNO.EPERM,
  },
  // Its flags lie in memory, where a filter can't look. Libraries fall back to clone.
  clone3: { allowedIf: [], otherwise: ERRNO.ENOSYS },
  // Leases and dnotify tell what others do with a file. Kernels without them answer the same.
  fcntl: {
    allowedIf: [[{ argument: 1, notIn: [...WATCH_FILES, ...LOCKS_OF_NOBODY] }]],
    otherwise: ERRNO.EINVAL,
  },
  ioctl: { allowedIf: [[{ argument: 1, notIn: UNWANTED_IOCTL }]], otherwise: ERRNO.EPERM },
  // As where no huge page is free.
  mmap: { allowedIf: [[{ argument: 3, without: HUGE.mmap }]], otherwise: ERRNO.ENOMEM },
  memfd_create: { allowedIf: [[{ argument: 1, without: HUGE.memfd }]], otherwise: ERRNO.EINVAL },
  shmget: { allowedIf: [[{ argument: 2, without: HUGE.shmget }]], otherwise: ERRNO.EPERM },
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
  // A filter that is compiled takes from a budget that all of the machine shares. A kernel without them answers the same,
  // which is what libraries look for.
  prctl: { allowedIf: [[{ argument: 0, notIn: UNWANTED_PRCTL }]], otherwise: ERRNO.EINVAL },
  // The agent's, which narrows each program further before it begins (src/agent/confine.c): none can do so again, and none but a
  // debugger can trace.
  seccomp: {
    allowedIf: [
      [{ argument: 0, in: SECCOMP_QUESTIONS }],
      [
        { argument: 0, in: [SECCOMP_SET_MODE_FILTER] },
        { argument: 1, in: [0] },
      ],
    ],
    otherwise: ERRNO.EINVAL,
  },
  ptrace: { allowedIf: [[{ argument: 0, in: TRACE_CHILDREN }]], otherwise: ERRNO.EPERM },
  sendto: nothingAdded(3),
  sendmsg: nothingAdded(2),
  sendmmsg: nothingAdded(3),
  setsockopt: {
    allowedIf: Object.values(SOCKET_OPTIONS.allowed).map(option),
    pretendedIf: Object.values(SOCKET_OPTIONS.pretended).map(option),
    otherwise: ERRNO.ENOPROTOOPT,
  },
  socket: {
    allowedIf: [
      [{ argument: 0, in: [UNIX] }],
      [
        { argument: 0, in: [INET, INET6] },
        { argument: 2, in: PROTOCOLS },
      ],
    ],
    // What asks for interfaces. ZeroMQ's library goes on without them at this error, and at EINVAL, and ends the program at any other.
    failsIf: [
      {
        tests: [
          { argument: 0, in: [NETLINK] },
          { argument: 2, in: [NETLINK_ROUTE] },
        ],
        error: ERRNO.EOPNOTSUPP,
      },
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

/** Of a program that no agent starts: those that a template makes. */
export const PROGRAM_RULES: Rules = {
  ...RULES,
  seccomp: { allowedIf: [[{ argument: 0, in: SECCOMP_QUESTIONS }]], otherwise: ERRNO.EINVAL },
  ptrace: { allowedIf: [], otherwise: ERRNO.EPERM },
};
