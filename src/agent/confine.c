#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "plan.h"

/* Of an argument its lower half, on machines whose bytes begin with that. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

/* Other ways to make a call are closed by the sandbox's filter, which asks for the architecture; this one adds to it. */
#define NO_FILTERS                                                                                           \
  LOAD(nr), IF_EQUAL(SYS_seccomp, 3), LOAD(args[0]), IF_EQUAL(SECCOMP_SET_MODE_FILTER, 1),                   \
      RETURN(SECCOMP_RET_ERRNO | EINVAL)
#define NO_TRACING LOAD(nr), IF_EQUAL(SYS_ptrace, 1), RETURN(SECCOMP_RET_ERRNO | EPERM)

int confine(bool traces) {
  struct sock_filter debugger[] = {NO_FILTERS, RETURN(SECCOMP_RET_ALLOW)};
  struct sock_filter any[] = {NO_FILTERS, NO_TRACING, RETURN(SECCOMP_RET_ALLOW)};
  const struct sock_fprog program = traces
                                        ? (struct sock_fprog){.len = sizeof debugger / sizeof *debugger, .filter = debugger}
                                        : (struct sock_fprog){.len = sizeof any / sizeof *any, .filter = any};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

void apply_filter(const char *filter, size_t bytes) {
  if (bytes % sizeof(struct sock_filter) != 0 || bytes / sizeof(struct sock_filter) > BPF_MAXINSNS)
    die("a filter of %zu bytes", bytes);
  const struct sock_fprog program = {
      .len = (unsigned short)(bytes / sizeof(struct sock_filter)),
      .filter = (struct sock_filter *)(void *)filter,
  };
  must("PR_SET_SECCOMP", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

void apply_filter_of(const char *path) {
  size_t bytes;
  char *filter = read_whole(path, &bytes);
  must("PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  apply_filter(filter, bytes);
  free(filter);
}
