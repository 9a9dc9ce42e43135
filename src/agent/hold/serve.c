#define _GNU_SOURCE
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ENTERING = 256, PATIENCE_S = 10 };

/* A child on its way into a sandbox. Others are not kept waiting by it. */
static struct entering {
  char sandbox[64];
  int pid, pidfd, reading;
  time_t until;
} entering[MOST_ENTERING];
static nfds_t count;

/* Reads an order, whose fields come in the order of ForkRequest (src/kernels/protocol.ts): what the service wrote, and trusted. */
static char *at;

static void want(const char *text) {
  size_t bytes = strlen(text);
  if (strncmp(at, text, bytes) != 0) give_up("an order that is none");
  at += bytes;
}

static bool comes(const char *text) {
  bool does = strncmp(at, text, strlen(text)) == 0;
  if (does) at += strlen(text);
  return does;
}

static char *take_string(void) {
  want("\"");
  char *begin = at;
  at += strcspn(at, "\"\\");
  if (*at != '"') give_up("an order with a name of which it can't be read");
  *at++ = 0;
  return begin;
}

static long take_number(void) {
  char *begin = at;
  long value = strtol(begin, &at, 10);
  if (at == begin) give_up("an order without a number");
  return value;
}

static struct fork_order take_order(char *line) {
  struct fork_order o = {.uid = -1};
  at = line;
  want("{\"fork\":{\"sandbox\":");
  o.sandbox = take_string();
  want(",\"procs\":[");
  while (!comes("]")) {
    if (o.groups > 0) want(",");
    if (o.groups == sizeof o.procs / sizeof *o.procs) give_up("an order with too many groups");
    o.procs[o.groups++] = take_string();
  }
  want(",\"members\":");
  o.members = take_string();
  want(",\"agent\":");
  o.agent = (int)take_number();
  want(",\"ends\":[");
  for (size_t i = 0; i < sizeof o.ends / sizeof *o.ends; i++) {
    if (i > 0) want(",");
    o.ends[i] = (int)take_number();
  }
  want("],\"users\":");
  o.users = (int)take_number();
  want(",\"uid\":");
  if (!comes("null")) o.uid = take_number();
  want(",\"cwd\":");
  o.cwd = take_string();
  want("}}");
  return o;
}

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static void answer(const char *sandbox, const char *number) {
  dprintf(CONTROL_FD, "{\"forked\":\"%s\",\"pid\":%s}\n", sandbox, number);
}

/* True in the child that is in its sandbox. */
static bool begin(char *line) {
  struct fork_order o = take_order(line);
  struct entering e = {.until = now() + PATIENCE_S};
  if (count == MOST_ENTERING || strlen(o.sandbox) >= sizeof e.sandbox) return answer(o.sandbox, "null"), false;
  strcpy(e.sandbox, o.sandbox);
  if (enter_sandbox(&o, &e.pidfd, &e.pid, &e.reading)) return true;
  if (e.pid <= 0) answer(o.sandbox, "null");
  else entering[count++] = e;
  return false;
}

/* Of one that has ended: it has told the number of the process that it has left inside, or has none. */
static void end(struct entering *e) {
  char number[32];
  int status;
  close(e->pidfd);
  while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR) {
  }
  ssize_t got = status == 0 ? read(e->reading, number, sizeof number - 1) : 0;
  close(e->reading);
  number[got > 0 ? got : 0] = 0;
  answer(e->sandbox, got > 0 ? number : "null");
  *e = entering[--count];
}

static void wait_for_any(void) {
  struct pollfd all[MOST_ENTERING + 1];
  for (nfds_t i = 0; i < count; i++) all[i] = (struct pollfd){.fd = entering[i].pidfd, .events = POLLIN};
  all[count] = (struct pollfd){.fd = CONTROL_FD, .events = POLLIN};
  if (poll(all, count + 1, count > 0 ? PATIENCE_S * 1000 : -1) < 0) return;
  /* From the last on: the last takes the place of one that has ended. */
  for (nfds_t i = count; i-- > 0;) {
    if (all[i].revents) end(&entering[i]);
    else if (now() > entering[i].until) kill(entering[i].pid, SIGKILL);
  }
}

static bool order_waits(void) {
  struct pollfd control = {.fd = CONTROL_FD, .events = POLLIN};
  return poll(&control, 1, 0) > 0;
}

void serve_forks(char *line) {
  inheritance_look();
  random_look();
  enter_open();
  /* Its children take theirs from their sandboxes; itself it has counted those that a sandbox has, and may use all. */
  cpu_set_t cpus;
  if (sched_getaffinity(getppid(), sizeof cpus, &cpus) == 0) sched_setaffinity(0, sizeof cpus, &cpus);
  /* Nobody may read its last words for long, and a child that fails waits for nothing. */
  fcntl(STDERR_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
  while (true) {
    for (; line; line = line_at_hand())
      if (begin(line)) return;
    wait_for_any();
    /* One line at least has begun to come. */
    if (order_waits() && !(line = next_line())) _exit(0);
  }
}
