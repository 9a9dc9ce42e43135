#define _GNU_SOURCE
#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "confine.h"
#include "figures.h"
#include "network.h"
#include "networks.h"
#include "proc.h"

enum {
  /* The user inside every sandbox: nobody. */
  INSIDE_UID = 65534,
  /* See src/launcher/resource-limits.ts. */
  CORE_BYTES = 1,
  CONTROL_FD = 3,
  /* More than any kernel knows; those it does not know it refuses. */
  CAPABILITIES = 64,
  MAX_SIGNAL = 64,
  /* fsopen(2), move_mount(2) and their kin, by the kernel's numbers. */
  FS_CLOEXEC = 1,
  FS_SET_STRING = 1,
  FS_CREATE = 6,
  FS_RECONFIGURE = 7,
  FS_PICK_EMPTY_PATH = 8,
  ATTR_RDONLY = 1,
  ATTR_NOSUID = 2,
  ATTR_NODEV = 4,
  ATTR_NOEXEC = 8,
  MOVE_EMPTY_PATH = 4,
};

static void enter_groups(char **procs) {
  for (; *procs; procs++)
    if (file_write(*procs, "0") < 0) die("entering %s failed (errno %d)", *procs, errno);
}

static void limit(int resource, rlim_t value) {
  const struct rlimit both = {.rlim_cur = value, .rlim_max = value};
  must("setrlimit", setrlimit(resource, &both));
}

/* As it is called where it was started by itself; see src/launcher/plan.ts. */
static const char TITLE[] = "/usr/local/lib/codebeaker/agent\0agent";

/* Not the zygote any more, for whoever lists processes. */
static void change_title(char *words, size_t bytes) {
  if (bytes < sizeof TITLE) return;
  memset(words, 0, bytes);
  memcpy(words, TITLE, sizeof TITLE);
}

static void begin(char **procs) {
  enter_groups(procs);
  limit(RLIMIT_CORE, CORE_BYTES);
  umask(022);
  must("setsid", setsid());
}

/* Connects to the server, from the host's network namespace: there is no way out of its own. */
static int greet(const struct sandbox_request *r) {
  int fd = (int)must("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(r->socket);
  if (length > sizeof address.sun_path - 1) die("the socket's name is too long");
  /* An abstract name begins with a NUL (unix(7)). */
  memcpy(address.sun_path + 1, r->socket, length);
  must("connect", connect(fd, (void *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
  must("write", write(fd, r->greeting, strlen(r->greeting)));
  return fd;
}

static int make_empty_directory(const char *within) {
  int context = (int)must("fsopen", syscall(SYS_fsopen, "tmpfs", FS_CLOEXEC));
  must("fsconfig", syscall(SYS_fsconfig, context, FS_CREATE, NULL, NULL, 0));
  int directory = (int)must("fsmount", syscall(SYS_fsmount, context, FS_CLOEXEC, ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC));
  close(context);
  must("mkdirat", mkdirat(directory, within, 0));
  return directory;
}

static void move_to(int mounted, const char *place) {
  must("move_mount", syscall(SYS_move_mount, mounted, "", AT_FDCWD, place, MOVE_EMPTY_PATH));
}

void stand_apart(void) {
  const char before[] = "before";
  int empty = make_empty_directory(before);
  move_to(empty, "/");
  must("fchdir", fchdir(empty));
  must("pivot_root", syscall(SYS_pivot_root, ".", before));
  must("mount_setattr", set_mount_flags(empty, "", AT_EMPTY_PATH, ATTR_RDONLY));
  must("chroot", chroot(before));
  close(empty);
}

/*
 * Makes a mounted directory the root, and all that was mounted before unreachable. The working directory is this namespace's root still;
 * see stand_apart. What covers it is what the kernel takes for the root from then on, also of whoever enters.
 */
static void show(const char *directory) {
  int root = (int)must("open", open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  move_to(root, ".");
  must("umount2", umount2("/", MNT_DETACH));
  must("fchdir", fchdir(root));
  must("chroot", chroot("."));
  close(root);
  must("chdir", chdir("/workspace"));
}

/* Where a plan shows the root: the target of its first mount. */
static const char *root_of(const struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++)
    if (strcmp(plan->steps[i].action, "mount") == 0) return plan->steps[i].target;
  die("a plan without a root");
}

static void close_all_above(int fd) { must("close_range", close_range((unsigned)fd + 1, ~0u, 0)); }

/* Standard input and output are the stream to the server, standard error stays, and what is shown in /proc; all else goes. */
static void take_descriptors(int stream) {
  must("dup2", dup2(stream, STDIN_FILENO));
  must("dup2", dup2(stream, STDOUT_FILENO));
  close_all_above(figures_put(STDERR_FILENO + 1) - 1);
}

/* The user of a user namespace of its own, and outside of it nobody whom the host knows. */
static void become_nobody(const struct sandbox_request *r) {
  if (r->own_user) {
    must("setgroups", setgroups(0, NULL));
    must("setresgid", setresgid(r->uid, r->uid, r->uid));
    must("setresuid", setresuid(r->uid, r->uid, r->uid));
  }
  /* A process that changed its user may not touch its own files in /proc otherwise. */
  must("PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  must("unshare", unshare(CLONE_NEWUSER));
  char map[64];
  snprintf(map, sizeof map, "%d %u 1", INSIDE_UID, r->uid);
  must("setgroups", file_write("/proc/self/setgroups", "deny"));
  must("uid_map", file_write("/proc/self/uid_map", map));
  must("gid_map", file_write("/proc/self/gid_map", map));
}

static void drop_capabilities(void) {
  for (unsigned long capability = 0; capability < CAPABILITIES; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    int can = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    /* The first that the kernel does not know; it knows them all up to its last one. */
    if (can < 0) break;
    if (can > 0) die("a capability can still be had");
  }
  must("PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  /* Effective, permitted and inheritable, in two halves (capget(2)); the ambient ones go with them. */
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  const struct __user_cap_data_struct none[2] = {{0}};
  must("capset", syscall(SYS_capset, &header, none));
}

/*
 * In its control groups before anything else, with namespaces of its own for all there is one for, with a root that shows what
 * bubblewrap would show, as a user without a single capability anywhere, and under the system call filter. The namespaces belong to
 * the host's own user namespace and the process ends in one below it, so that whatever it may become in there, it is nobody to them.
 */
void become_sandbox(const struct makings *m, const struct sandbox_request *r, int disk, bool in_groups) {
  begin(in_groups ? (char *[]){NULL} : r->procs);
  change_title(m->words, m->words_bytes);
  int stream = greet(r);
  explicit_bzero(r->greeting, strlen(r->greeting));
  /* By the host's /proc, which shows whoever looks its own namespace. */
  bool known = networks_enter(r->known_network);
  must("unshare", unshare(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | (known ? 0 : CLONE_NEWNET)));
  if (!known) network_start_loopback();
  if (r->network) network_open(r->blocks);
  plan_take(&m->sandbox, (struct taking){.disk = disk, .home = r->home, .is_set = known});
  if (!r->network) networks_lend(r->channel, known ? r->known_network : -1);
  show(root_of(&m->sandbox));
  must("sethostname", sethostname("sandbox", 7));
  take_descriptors(stream);
  /* After those of all other sandboxes are closed: nothing can be opened while more are taken than may be. */
  limit(RLIMIT_NOFILE, r->open_files);
  become_nobody(r);
  drop_capabilities();
  /* Given up by every change of user, so it comes last. */
  must("PR_SET_PDEATHSIG", prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  apply_filter(m->filter, m->filter_bytes);
  serve("/workspace", 0, NULL);
}

/* What a program finds: nothing ignored, nothing blocked. */
static void default_signals(void) {
  struct sigaction usual = {.sa_handler = SIG_DFL};
  sigset_t none;
  sigemptyset(&none);
  for (int signal = 1; signal <= MAX_SIGNAL; signal++) sigaction(signal, &usual, NULL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* An interpreter may look for its program before it waits. */
static void make_program(char **argv) {
  const char *last = "";
  for (; *argv; argv++) last = *argv;
  if (strncmp(last, "/workspace/", 11) == 0) close((int)must(last, open(last, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
}

/* As many as a sandbox has of which nothing else was asked; an interpreter may count them at its start. */
static void count_one_cpu(void) {
  cpu_set_t all, one;
  CPU_ZERO(&one);
  must("sched_getaffinity", sched_getaffinity(0, sizeof all, &all));
  size_t first = 0;
  while (!CPU_ISSET(first, &all)) first++;
  CPU_SET(first, &one);
  must("sched_setaffinity", sched_setaffinity(0, sizeof one, &one));
}

/*
 * It sees what a sandbox sees, with a network and a mount namespace of its own, and it keeps the rights that it takes to enter one. It
 * must never run anything but the interpreter and the service's own code, up to where it waits.
 */
void become_template(const struct makings *m, const struct template_request *r, int control) {
  begin(r->procs);
  must("unshare", unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));
  plan_take(&m->template, (struct taking){.disk = -1});
  show(root_of(&m->template));
  /* Standard input is a pipe in which nothing ever comes, as what its children have is one; output is for its last words. */
  int ends[2];
  must("pipe2", pipe2(ends, 0));
  int high = (int)must("fcntl", fcntl(control, F_DUPFD, 16));
  must("dup2", dup2(ends[0], STDIN_FILENO));
  must("dup2", dup2(STDERR_FILENO, STDOUT_FILENO));
  must("dup2", dup2(high, CONTROL_FD));
  /* The pipe's other end is one of those. */
  close_all_above(CONTROL_FD);
  /* Keeps the number taken that a child's file will have. */
  must("opening /dev/null", open("/dev/null", O_RDONLY));
  make_program(r->argv);
  limit(RLIMIT_NOFILE, r->open_files);
  count_one_cpu();
  default_signals();
  execvpe(r->argv[0], r->argv, r->env);
  die("starting %s failed (errno %d)", r->argv[0], errno);
}

static int set_text(int context, const char *name, const char *value) {
  return (int)syscall(SYS_fsconfig, context, FS_SET_STRING, name, value, 0);
}

static int set_number(int context, const char *name, uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  return set_text(context, name, text);
}

static int make_parts(int disk, const struct plan *plan, const struct sandbox_request *r) {
  for (size_t i = 0; i < plan->count; i++) {
    const struct step *s = &plan->steps[i];
    if (strcmp(s->action, "part") != 0) continue;
    if (mkdirat(disk, s->source, 0755) < 0) return -1;
    if (r->own_user && fchownat(disk, s->source, r->uid, r->uid, 0) < 0) return -1;
  }
  return 0;
}

static int close_with(int fd, int result) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return result;
}

int make_disk(const struct plan *plan, const struct sandbox_request *r) {
  int context = (int)syscall(SYS_fsopen, "tmpfs", FS_CLOEXEC);
  if (context < 0) return -1;
  if (set_text(context, "source", "tmpfs") < 0 || set_text(context, "mode", "0755") < 0 || set_number(context, "size", r->disk_bytes + FIGURES_BYTES) < 0 ||
      set_number(context, "nr_inodes", (uint64_t)r->inodes + FIGURES_INODES) < 0 || syscall(SYS_fsconfig, context, FS_CREATE, NULL, NULL, 0) < 0)
    return close_with(context, -1);
  int disk = (int)syscall(SYS_fsmount, context, FS_CLOEXEC, ATTR_NOSUID | ATTR_NODEV);
  close_with(context, 0);
  if (disk < 0 || make_parts(disk, plan, r) < 0) return close_with(disk, -1);
  return disk;
}

int resize_disk(int disk, uint64_t bytes) {
  int context = (int)syscall(SYS_fspick, disk, "", FS_CLOEXEC | FS_PICK_EMPTY_PATH);
  if (context < 0) return -1;
  bool done = set_number(context, "size", bytes + FIGURES_BYTES) == 0 && syscall(SYS_fsconfig, context, FS_RECONFIGURE, NULL, NULL, 0) == 0;
  return close_with(context, done ? 0 : -1);
}
