#define _GNU_SOURCE
#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "frames.h"
#include "groups.h"
#include "isolate.h"
#include "networks.h"
#include "protocol.h"

enum {
  KEPT_WORDS_BYTES = 800,
  SAID_BYTES = 16 * 1024,
  /* What groups may take to be empty at the end: five seconds. */
  SWEEP_US = 2000,
  SWEEPS = 2500,
  /* A disk with more on it takes longer to free than a child to start. */
  MUCH_ON_DISK = 8 * 1024 * 1024,
  /* From here on channels are of children that nobody has asked for. */
  OWN_CHANNELS = 1u << 31,
};

/* A sandbox or a template. */
struct child {
  struct child *next;
  uint32_t channel;
  pid_t pid;
  /* Readable once it has ended (pidfd_open(2)). */
  int pidfd;
  /* Where its standard error comes out. */
  int words;
  /* Of a sandbox, for another size; else -1. */
  int disk;
  /* Of a template; else -1. */
  int control;
  /* Its network, once it has lent it (networks.h); else -1. */
  int network;
  /* What goes when it has ended; NULL as long as nobody has asked for that. */
  char *group;
  /* Once it has given back what it has in memory of files. */
  bool reclaims;
};

static struct outbox outbox = {.fd = STDOUT_FILENO};
/* A later child has no business with what an earlier one was made of. */
static struct decoder decoder = {.held = {.wipes = true}};
static struct makings makings;
static struct places places;
static struct child *children;
static int polled;

static struct child **find(uint32_t channel) {
  struct child **at = &children;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  return at;
}

static void close_fd(int fd) {
  if (fd >= 0) close(fd);
}

static bool watch(int fd, uint64_t data) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};
  return epoll_ctl(polled, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* By hand: a child that is on its way holds what is closed here open, and it would still be reported. */
static void unwatch(int fd) {
  epoll_ctl(polled, EPOLL_CTL_DEL, fd, NULL);
  close_fd(fd);
}

/* What an event is about: a channel, and whether it is that of a control socket. 0 is standard input. */
enum { CONTROL_BIT = 1 };
static uint64_t about(uint32_t channel, int control) { return (uint64_t)channel << 1 | (uint64_t)control; }

/* Forks; 0 in the child. By the system call: fork(3) takes no namespace, and nothing else here has threads to care for. */
static pid_t fork_with(uint64_t flags, const char *group, int *pidfd, bool *in_group) {
  *in_group = false;
  if (*group) {
    int directory = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct {
      uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    } arguments = {
        .flags = flags | CLONE_PIDFD | 0x200000000ull /* CLONE_INTO_CGROUP */,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)directory,
    };
    long pid = directory < 0 ? -1 : syscall(SYS_clone3, &arguments, sizeof arguments);
    close_fd(directory);
    if (pid >= 0) {
      *in_group = true;
      return (pid_t)pid;
    }
  }
  return (pid_t)syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
}

static void send_ended(uint32_t channel, const char *words, size_t length) {
  outbox_send(&outbox, FROM_ENDED, channel, words, length);
}

/* For want of descriptors or processes, say; what runs goes on. */
static void not_started(uint32_t channel, const char *call) {
  char words[128];
  int length = snprintf(words, sizeof words, "%s failed (errno %d)", call, errno);
  send_ended(channel, words, (size_t)length);
}

static void keep(struct child child) {
  struct child *added = allocate(sizeof *added);
  *added = child;
  added->next = children;
  children = added;
}

static void add_child(struct child child) {
  if (!watch(child.pidfd, about(child.channel, 0)) ||
      (child.control >= 0 && !watch(child.control, about(child.channel, CONTROL_BIT)))) {
    not_started(child.channel, "epoll_ctl");
    kill(child.pid, SIGKILL);
    waitpid(child.pid, NULL, 0);
    const int all[] = {child.pidfd, child.words, child.disk, child.control, child.network};
    for (size_t i = 0; i < LENGTH(all); i++) close_fd(all[i]);
    return;
  }
  keep(child);
  outbox_send_u32(&outbox, FROM_STARTED, child.channel, (uint32_t)child.pid);
}

/* One that is never a NUL in the middle. */
static char *take_term(struct fields *f) {
  char *text = take_name(f);
  if (!text) die("a malformed payload");
  return text;
}

static char **take_texts(struct fields *f) {
  size_t count = take_u32(f);
  if (f->broken || count > f->left / 4) die("a malformed payload");
  char **texts = allocate((count + 1) * sizeof *texts);
  for (size_t i = 0; i < count; i++) texts[i] = take_term(f);
  texts[count] = NULL;
  return texts;
}

static void free_texts(char **texts) {
  for (char **text = texts; *text; text++) free(*text);
  free(texts);
}

static void take_lent_networks(void) {
  uint32_t channel;
  int network;
  while (networks_lent(&channel, &network)) {
    struct child *c = *find(channel);
    if (c && c->network < 0) c->network = network;
    else close_fd(network);
  }
}

static void start_sandbox(uint32_t channel, struct sandbox_request *r) {
  int ends[2];
  if (!groups_make(&places, r->directories, r->settings)) return not_started(channel, "making the control groups");
  if (pipe2(ends, O_CLOEXEC) < 0) return not_started(channel, "pipe2");
  int disk = make_disk(&makings.sandbox, r);
  if (disk < 0) {
    not_started(channel, "making the disk");
    close(ends[0]);
    close(ends[1]);
    return;
  }
  take_lent_networks();
  if (!r->network) r->known_network = networks_take();
  int pidfd = -1;
  bool in_group;
  pid_t pid = fork_with(CLONE_NEWPID, r->group, &pidfd, &in_group);
  if (pid == 0) {
    must("dup2", dup2(ends[1], STDERR_FILENO));
    /* What has come for others. */
    buffer_free(&decoder.held);
    become_sandbox(&makings, r, disk, in_group);
  }
  if (pid < 0) not_started(channel, "clone");
  close(ends[1]);
  close_fd(r->known_network);
  if (pid < 0) {
    close(ends[0]);
    close(disk);
    return;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  add_child((struct child){.channel = channel, .pid = pid, .pidfd = pidfd, .words = ends[0], .disk = disk, .control = -1,
                           .network = -1});
}

static void on_start(uint32_t channel, struct fields *f) {
  struct sandbox_request r = {.own_user = take_u8(f), .known_network = -1, .channel = channel};
  r.uid = take_u32(f);
  r.open_files = take_u32(f);
  r.home = take_u8(f);
  r.disk_bytes = take_u64(f);
  r.inodes = take_u32(f);
  r.procs = take_texts(f);
  r.group = take_term(f);
  r.socket = take_term(f);
  r.greeting = take_term(f);
  r.directories = take_texts(f);
  r.settings = take_texts(f);
  r.network = take_u8(f);
  r.blocks = take_texts(f);
  take_end(f);
  start_sandbox(channel, &r);
  /* A key: no later child may have it in its memory. */
  explicit_bzero(r.greeting, strlen(r.greeting));
  free_texts(r.procs);
  free_texts(r.directories);
  free_texts(r.settings);
  free_texts(r.blocks);
  free(r.group);
  free(r.socket);
  free(r.greeting);
}

static void start_template(uint32_t channel, const struct template_request *r) {
  int ends[2], control[2];
  if (!groups_make(&places, r->directories, r->settings)) return not_started(channel, "making the control groups");
  if (pipe2(ends, O_CLOEXEC) < 0) return not_started(channel, "pipe2");
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0) {
    not_started(channel, "socketpair");
    close(ends[0]);
    close(ends[1]);
    return;
  }
  int pidfd = -1;
  bool in_group;
  pid_t pid = fork_with(0, "", &pidfd, &in_group);
  if (pid == 0) {
    must("dup2", dup2(ends[1], STDERR_FILENO));
    buffer_free(&decoder.held);
    become_template(&makings, r, control[1]);
  }
  if (pid < 0) not_started(channel, "clone");
  close(ends[1]);
  close(control[1]);
  if (pid < 0) {
    close(ends[0]);
    close(control[0]);
    return;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  fcntl(control[0], F_SETFL, O_RDWR | O_NONBLOCK);
  add_child((struct child){.channel = channel, .pid = pid, .pidfd = pidfd, .words = ends[0], .disk = -1, .control = control[0],
                           .network = -1});
}

static void on_template(uint32_t channel, struct fields *f) {
  struct template_request r = {.open_files = take_u32(f)};
  r.procs = take_texts(f);
  r.argv = take_texts(f);
  r.env = take_texts(f);
  r.directories = take_texts(f);
  r.settings = take_texts(f);
  take_end(f);
  start_template(channel, &r);
  free_texts(r.directories);
  free_texts(r.settings);
  free_texts(r.procs);
  free_texts(r.argv);
  free_texts(r.env);
}

/* Taken whole or, by one that hangs, not at all: it is far smaller than the socket's buffer. One that missed something is of no use. */
static void on_tell(struct child *c, const struct fields *f) {
  if (!c || c->control < 0) return;
  if (send(c->control, f->at, f->left, MSG_NOSIGNAL) != (ssize_t)f->left) kill(c->pid, SIGKILL);
}

static void on_gone(uint32_t channel, bool gone) {
  if (channel < OWN_CHANNELS) outbox_send_u32(&outbox, FROM_REMOVED, channel, gone);
}

/* `disk` may be -1. The last who holds it frees all that is on it. */
_Noreturn static void give_back(int disk, const char *group) {
  if (disk >= 0) {
    dup2(disk, STDIN_FILENO);
    /* Those of others, which may end meanwhile. */
    close_range(STDIN_FILENO + 1, ~0u, 0);
    close(STDIN_FILENO);
  }
  if (group) group_reclaim(&places, group);
  _exit(0);
}

/*
 * Has a child of its own wait for what takes the kernel long: freeing a disk, which whoever called closes here, and giving back memory of
 * files, if it `reclaims`. False where there can be none. `group` goes with the child, as soon as somebody has asked for that.
 */
static bool give_back_apart(uint32_t channel, int disk, char *group, bool reclaims) {
  struct child c = {.channel = channel, .pidfd = -1, .words = -1, .disk = -1, .control = -1, .network = -1, .group = group};
  bool in_group;
  c.pid = fork_with(0, "", &c.pidfd, &in_group);
  if (c.pid == 0) give_back(disk, reclaims ? group : NULL);
  if (c.pid < 0) return false;
  if (watch(c.pidfd, about(channel, 0))) return keep(c), true;
  kill(c.pid, SIGKILL);
  waitpid(c.pid, NULL, 0);
  close(c.pidfd);
  return false;
}

/* Keeps `group`, which nothing lives in any more. */
static void take_away(uint32_t channel, char *group, bool reclaims) {
  if (!reclaims || groups_keep(&places, group) || !give_back_apart(channel, -1, group, true)) groups_leave(&places, channel, group, on_gone);
}

static void on_owing(char *group) {
  static uint32_t channel = OWN_CHANNELS;
  if (channel == UINT32_MAX) channel = OWN_CHANNELS;
  if (!give_back_apart(channel++, -1, group, true)) groups_leave(&places, channel, group, on_gone);
}

static bool has_much(int disk) {
  struct statfs use;
  return disk >= 0 && fstatfs(disk, &use) == 0 && (use.f_blocks - use.f_bfree) * (uint64_t)use.f_bsize > MUCH_ON_DISK;
}

/* Also before it is in its control groups. */
static void on_stop(uint32_t channel, struct child *c, struct fields *f) {
  char *group = take_term(f);
  uint8_t how = take_u8(f);
  take_end(f);
  if (!is_group(group)) die("a malformed payload");
  if (c) {
    group_hurry(&places, group);
    kill(c->pid, SIGKILL);
  }
  if (how == END_ONLY || (c && c->group)) return free(group);
  if (c) {
    c->group = group;
    c->reclaims = how == END_RECLAIM;
  } else take_away(channel, group, how == END_RECLAIM);
}

static void on_resize(uint32_t channel, struct child *c, struct fields *f) {
  uint64_t bytes = take_u64(f);
  take_end(f);
  outbox_send_u32(&outbox, FROM_RESIZED, channel, c && c->disk >= 0 && resize_disk(c->disk, bytes) == 0);
}

static void on_frame(struct frame *frame) {
  struct fields *f = &frame->payload;
  uint32_t channel = frame->channel;
  struct child *c = *find(channel);
  switch (frame->kind) {
    case TO_START: on_start(channel, f); break;
    case TO_TEMPLATE: on_template(channel, f); break;
    case TO_TELL: on_tell(c, f); break;
    case TO_END: on_stop(channel, c, f); break;
    case TO_RESIZE: on_resize(channel, c, f); break;
    default: die("an unknown kind: %d", frame->kind);
  }
}

/* A template says something, or hangs up. */
static void on_said(struct child *c) {
  char text[SAID_BYTES];
  ssize_t got = read(c->control, text, sizeof text);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) return outbox_send(&outbox, FROM_SAID, c->channel, text, (size_t)got);
  unwatch(c->control);
  c->control = -1;
  kill(c->pid, SIGKILL);
}

/* With a sandbox's init all that was in the sandbox has ended. */
static void on_end(struct child **at) {
  struct child *c = *at;
  char words[KEPT_WORDS_BYTES];
  take_lent_networks();
  waitpid(c->pid, NULL, 0);
  unwatch(c->pidfd);
  if (c->words >= 0) {
    ssize_t length = read(c->words, words, sizeof words);
    send_ended(c->channel, words, length > 0 ? (size_t)length : 0);
  }
  if (c->control >= 0) unwatch(c->control);
  close_fd(c->words);
  networks_keep(c->network);
  *at = c->next;
  bool apart = has_much(c->disk) && give_back_apart(c->channel, c->disk, c->group, c->reclaims);
  close_fd(c->disk);
  if (!apart && c->group) take_away(c->channel, c->group, c->reclaims);
  free(c);
}

/* True when there is none left. */
static bool reap_all(void) {
  pid_t pid;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {}
  return pid < 0;
}

/* The server is gone: then so is everything. */
_Noreturn static void leave(void) {
  for (struct child *c = children; c; c = c->next) kill(c->pid, SIGKILL);
  for (int tries = 0; tries < SWEEPS; tries++) {
    bool gone = groups_sweep(&places);
    if (reap_all() && gone) break;
    usleep(SWEEP_US);
  }
  _exit(0);
}

static void on_event(uint64_t data) {
  if (data == 0) {
    if (!decoder_read(&decoder, STDIN_FILENO, on_frame)) leave();
    return;
  }
  struct child **at = find((uint32_t)(data >> 1));
  if (!*at) return;
  if (data & CONTROL_BIT) on_said(*at);
  else on_end(at);
}

/* Milliseconds until something is to be done by itself; -1: nothing is. */
static int patience(void) {
  int groups = groups_wait(), networks = networks_wait();
  return groups < 0 || (networks >= 0 && networks < groups) ? networks : groups;
}

/* What the program that this one took the place of has opened, ignored or made not to wait. */
static void begin_afresh(void) {
  must("close_range", close_range(STDERR_FILENO + 1, ~0u, 0));
  /* Its sandboxes inherit that. */
  take_no_signals();
  for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) must("fcntl", fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK));
}

void run_zygote(int count, char **words) {
  begin_afresh();
  makings.sandbox = plan_read(words[2]);
  makings.template = plan_read(words[3]);
  makings.filter = read_whole(words[4], &makings.filter_bytes);
  places = (struct places){
      .cpu = words[5],
      .cpu_file = words[6],
      .cpu_text = words[7],
      .memory = words[8],
      .field = words[9],
      .owing = on_owing,
      .memory_file = words[10],
      .memory_text = words[11],
      .parents = words + 12,
  };
  const char *last = words[count - 1];
  makings.words = words[0];
  makings.words_bytes = (size_t)(last + strlen(last) + 1 - words[0]);
  must("unshare", unshare(CLONE_NEWNS));
  networks_open();
  plan_leave(&makings.sandbox);
  stand_apart();
  polled = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
  if (!watch(STDIN_FILENO, 0)) die_errno("epoll_ctl");
  outbox_send(&outbox, FROM_WAITING, 0, NULL, 0);
  while (true) {
    if (!outbox_write(&outbox)) leave();
    struct epoll_event event;
    int ready = epoll_wait(polled, &event, 1, patience());
    if (ready < 0 && errno != EINTR) die_errno("epoll_wait");
    if (ready > 0) on_event(event.data.u64);
    if (groups_wait() >= 0) groups_retry(&places, on_gone);
    if (networks_wait() == 0) networks_drop();
  }
}
