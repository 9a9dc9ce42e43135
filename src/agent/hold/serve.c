#define _GNU_SOURCE
#include "hold.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* True in the child that is in its sandbox. */
static bool begin(char *line) {
  struct fork_order o = take_order(line);
  pid_t pid = enter_sandbox(&o);
  if (pid == 0) return true;
  if (pid > 0) dprintf(CONTROL_FD, "{\"forked\":\"%s\",\"pid\":%d}\n", o.sandbox, pid);
  else dprintf(CONTROL_FD, "{\"forked\":\"%s\",\"pid\":null}\n", o.sandbox);
  return false;
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
  for (; line; line = next_line())
    if (begin(line)) return;
  _exit(0);
}
