#define _GNU_SOURCE
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

/*
 * How a Bun that waits outside of every sandbox gets a child into one, as forking.py does for Python (src/kernels/prewarm/python): it
 * runs with the service's own rights and has never run a line that is not the service's. Its child enters the namespaces of a sandbox,
 * has the sandbox's init for its parent, and gives up every right before it is anything else's.
 */

enum { NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET, CAPABILITIES = 64, LOWEST_PRIORITY = 19 };

static int own = -1;
static struct sock_fprog filter;

static int check(const char *what, long result) {
  if (result < 0) give_up(what);
  return (int)result;
}

void enter_open(void) {
  own = check("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
  fcntl(own, F_SETFD, FD_CLOEXEC);
  /* An ordinary user can't go back, as the processes outside are not its own: better before there is a child that nobody knows of. */
  check("coming back from a sandbox", setns(own, CLONE_NEWPID));
  static struct sock_filter instructions[BPF_MAXINSNS];
  int file = check("the filter", open("/tmp/filter", O_RDONLY | O_CLOEXEC));
  ssize_t bytes = check("the filter", read(file, instructions, sizeof instructions));
  close(file);
  if (bytes == 0 || (size_t)bytes % sizeof *instructions != 0) give_up("a filter that is none");
  filter = (struct sock_fprog){.len = (unsigned short)((size_t)bytes / sizeof *instructions), .filter = instructions};
}

/* A sandbox may have ended since the order was given, and its agent's number be anybody's: another customer's, or the host's. */
static bool is_among(const char *members, int agent) {
  FILE *file = fopen(members, "re");
  if (!file) return false;
  int member;
  bool found = false;
  while (!found && fscanf(file, "%d", &member) == 1) found = member == agent;
  fclose(file);
  return found;
}

static int open_agent(const struct fork_order *o) {
  int agent = (int)syscall(SYS_pidfd_open, o->agent, 0);
  if (agent >= 0 && !is_among(o->members, o->agent)) {
    close(agent);
    errno = ESRCH;
    return -1;
  }
  return agent;
}

/* Descriptors of the agent's are taken by descriptor: it lets nobody but root look at it. */
static int taken(int agent, int end) { return end < 0 ? -1 : check("pidfd_getfd", syscall(SYS_pidfd_getfd, agent, end, 0)); }

static void put(int from, int to, int flags) {
  if (from != to) check("dup3", dup3(from, to, flags));
}

/* None of them is where another one goes: the parent has these numbers itself. */
static void take_descriptors(const int *ends, int users, const char *cwd) {
  check("setsid", setsid());
  check("chdir", chdir(cwd));
  umask(022);
  put(ends[0] < 0 ? check("/dev/null", open("/dev/null", O_RDONLY)) : ends[0], STDIN_FILENO, 0);
  put(ends[1], STDOUT_FILENO, 0);
  put(ends[2], STDERR_FILENO, 0);
  put(ends[3], CONTROL_FD, 0);
  if (ends[4] >= 0) put(ends[4], FILE_FD, 0);
  else close(FILE_FD);
  int highest = users;
  for (int fd = FILE_FD + 1; fd < highest; fd++)
    if (!inheritance_keeps(fd)) close(fd);
  check("close_range", close_range((unsigned)highest + 1, ~0u, 0));
}

static void write_text(const char *path, const char *text) {
  int fd = check(path, open(path, O_WRONLY | O_CLOEXEC));
  check(path, write(fd, text, strlen(text)));
  close(fd);
}

static void become_nobody(long uid, int users) {
  check("setpriority", setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY));
  write_text("/proc/self/oom_score_adj", "1000");
  /* What else runs in there may not touch it before it is under the filter as well. */
  check("prctl", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  if (uid >= 0) {
    unsigned id = (unsigned)uid;
    check("setgroups", setgroups(0, NULL));
    check("setresgid", setresgid(id, id, id));
    check("setresuid", setresuid(id, id, id));
  }
  /* Its user made that namespace, and so has every right in there, and there only. */
  check("setns", setns(users, CLONE_NEWUSER));
  close(users);
  /* Reading is refused from the first that the kernel does not know. */
  for (int capability = 0; capability < CAPABILITIES && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    check("prctl", prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
  check("prctl", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  const struct __user_cap_data_struct none[2] = {{0}};
  check("capset", syscall(SYS_capset, &header, none));
  check("prctl", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0));
  /* It is a program like another now, and may look at itself. */
  check("prctl", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* The C library registers them once (rseq(2)), and the kernel forgets them in a process that has another's memory. */
static void renew_sequences(void) {
#ifdef RSEQ_SIG
  enum { FIRST_BYTES = 32 };
  /* Where the kernel refuses, it knows them already, or none. */
  if (__rseq_size > 0) syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, MAX(__rseq_size, FIRST_BYTES), 0, RSEQ_SIG);
#endif
}

/* By whom it is left inside; in memory that both have. */
static volatile pid_t inside;

/* Returns in the process that is inside. */
static void enter(const struct fork_order *o, int agent, const cpu_set_t *cpus) {
  int groups[sizeof o->procs / sizeof *o->procs], ends[5];
  /* Not seen from inside. */
  for (size_t i = 0; i < o->groups; i++) groups[i] = check("a control group", open(o->procs[i], O_WRONLY | O_CLOEXEC));
  /* What runs in there is kept on these, and this is nobody's to keep while it has rights. */
  check("sched_setaffinity", sched_setaffinity(0, sizeof *cpus, cpus));
  int users = taken(agent, o->users);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) ends[i] = taken(agent, o->ends[i]);
  check("setns", setns(agent, NAMESPACES));
  /* The orphan of a process inside goes to the init there; the child of one outside would not. */
  pid_t last = check("fork", fork());
  if (last > 0) {
    inside = last;
    _exit(0);
  }
  renew_sequences();
  /* Only now: whoever asked may have given the sandbox next to nothing of the CPU, and others are waiting. */
  for (size_t i = 0; i < o->groups; i++) check("a control group", write(groups[i], "0", 1));
  /* A number that nothing of Bun's has, and above all that it keeps. */
  users = check("fcntl", fcntl(users, F_DUPFD_CLOEXEC, 64));
  take_descriptors(ends, users, o->cwd);
  inheritance_renew();
  random_renew();
  become_nobody(o->uid, users);
}

static void say(const char *what) { dprintf(STDERR_FILENO, "%s (errno %d)\n", what, errno); }

pid_t enter_sandbox(const struct fork_order *o) {
  cpu_set_t cpus;
  int agent = open_agent(o);
  if (agent < 0) return say("the agent is gone"), -1;
  if (sched_getaffinity(o->agent, sizeof cpus, &cpus) < 0) {
    say("the processors of a sandbox");
    close(agent);
    return -1;
  }
  inside = -1;
  /*
   * A child that has this process's memory, which stands still meanwhile: only the one that is left inside gets a copy of the tables of all
   * pages, and goes on in that copy as if it were the child. Born in there, it need not fork once more to be.
   */
  pid_t child = setns(agent, CLONE_NEWPID) == 0 ? vfork() : -1;
  if (child == 0) {
    enter(o, agent, &cpus);
    return 0;
  }
  if (child < 0) say("fork");
  /* The next child would be born in this sandbox. */
  if (setns(own, CLONE_NEWPID) < 0) give_up("setns");
  close(agent);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  return inside;
}
