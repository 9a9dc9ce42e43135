#define _GNU_SOURCE
#include "standstill.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "proc.h"
#include "refusal.h"
#include "sockets.h"

enum {
  /* How long it may take, milliseconds: a process stops when it is next about to run, and its sandbox may have used up its CPU. */
  PATIENCE_MS = 5000,
  /* What sleeps where it can't be stopped is believed to touch nothing after so long: a parent in vfork(2) waits like that. */
  SLEEPER_MS = 50,
};

/* Whether it is the agent’s, and not the agent: outside of a sandbox of its own others run beside it. */
static bool is_ours(const struct processes *all, const struct process *process) {
  pid_t self = getpid();
  if (process->pid == self || self == 1) return process->pid != self;
  const struct process *up = process;
  for (size_t hops = 0; up && hops <= all->count; hops++) {
    if (up->parent == self) return true;
    up = process_living(all, up->parent);
  }
  return false;
}

/* All threads of a process stand, or sleep where `sleepers` may. */
static bool threads_stand(pid_t pid, bool sleepers) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) return true;
  bool stand = true;
  for (struct dirent *entry; stand && (entry = readdir(tasks));) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    char file[128];
    snprintf(file, sizeof file, "/proc/%d/task/%.20s/stat", pid, entry->d_name);
    const char *fields = file_read(file, text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
    char state = fields && fields[1] ? fields[2] : 'Z';
    stand = strchr("TtZXx", state) || (sleepers && state == 'D');
  }
  closedir(tasks);
  return stand;
}

/* One pass; true when nothing of it moves any more. */
static bool stop_all(bool sleepers) {
  struct processes all = processes_read();
  bool stand = !all.torn;
  for (size_t i = 0; i < all.count; i++) {
    const struct process *process = &all.items[i];
    if (process->ended || !is_ours(&all, process) || threads_stand(process->pid, sleepers)) continue;
    stand = false;
    kill(process->pid, SIGSTOP);
  }
  free(all.items);
  return stand;
}

bool standstill_begin(struct processes *stood) {
  *stood = (struct processes){0};
  struct processes all = processes_read();
  for (size_t i = 0; i < all.count; i++)
    if (all.items[i].stopped && is_ours(&all, &all.items[i])) processes_push(stood, &all.items[i]);
  free(all.items);
  /* No fork escapes a signal that goes to all. */
  if (getpid() == 1) kill(-1, SIGSTOP);
  double since = now_ms();
  for (bool quiet = false;;) {
    bool stand = stop_all(now_ms() - since > SLEEPER_MS);
    /* Once more: a fork that was under way brings its child a moment later. */
    if (stand && quiet) return true;
    quiet = stand;
    if (now_ms() - since > PATIENCE_MS) return refuse("Programs of the sandbox could not be stopped");
    if (!stand) poll(NULL, 0, 1);
  }
}

static bool stood_before(const struct processes *stood, const struct process *process) {
  for (size_t i = 0; i < stood->count; i++)
    if (stood->items[i].pid == process->pid && stood->items[i].started_at == process->started_at) return true;
  return false;
}

/* Children first: a shell that looks at a job then finds that it goes on. */
static int youngest_first(const void *a, const void *b) {
  uint64_t x = ((const struct process *)a)->started_at, y = ((const struct process *)b)->started_at;
  return (x < y) - (x > y);
}

void standstill_end(struct processes *stood) {
  struct processes all = processes_read(), ours = {0};
  for (size_t i = 0; i < all.count; i++)
    if (!all.items[i].ended && is_ours(&all, &all.items[i]) && !stood_before(stood, &all.items[i])) processes_push(&ours, &all.items[i]);
  if (ours.count) qsort(ours.items, ours.count, sizeof *ours.items, youngest_first);
  for (size_t i = 0; i < ours.count; i++) kill(ours.items[i].pid, SIGCONT);
  free(all.items);
  free(ours.items);
  free(stood->items);
}
