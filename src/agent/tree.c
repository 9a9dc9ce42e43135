#define _GNU_SOURCE
#include "tree.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "protocol.h"

/* Passes over /proc before everything is stopped at once instead. */
enum { MAX_PASSES = 20 };

struct process {
  pid_t pid, parent;
  uint64_t started_at;
  /* A zombie: it does nothing any more and waits to be collected. */
  bool ended;
  bool found;
};

struct processes {
  struct process *items;
  size_t count, capacity;
  /* Something vanished while they were read. */
  bool torn;
};

uint64_t boot_ticks(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
}

static bool read_process(const char *pid, struct process *process) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  if (file_read(path, text, sizeof text) <= 0) return false;
  /* The name before the last parenthesis is the program's own choice. */
  char *fields = strrchr(text, ')');
  char state;
  int parent;
  unsigned long long started_at;
  if (!fields || sscanf(fields + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
                        &parent, &started_at) != 3)
    return false;
  *process = (struct process){
      .pid = (pid_t)atoi(pid), .parent = parent, .started_at = started_at, .ended = state == 'Z' || state == 'X'};
  return true;
}

static void push(struct processes *all, const struct process *process) {
  if (all->count == all->capacity) {
    all->capacity = all->capacity ? 2 * all->capacity : 64;
    all->items = reallocate(all->items, all->capacity * sizeof *all->items);
  }
  all->items[all->count++] = *process;
}

static int by_pid(const void *a, const void *b) {
  pid_t x = ((const struct process *)a)->pid, y = ((const struct process *)b)->pid;
  return (x > y) - (x < y);
}

static struct processes read_processes(void) {
  struct processes all = {0};
  DIR *directory = opendir("/proc");
  if (!directory) die_errno("opening /proc");
  for (struct dirent *entry; (entry = readdir(directory));) {
    struct process process;
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    if (read_process(entry->d_name, &process)) push(&all, &process);
    else all.torn = true;
  }
  closedir(directory);
  if (all.count) qsort(all.items, all.count, sizeof *all.items, by_pid);
  return all;
}

static const struct process *living(const struct processes *all, pid_t pid) {
  struct process key = {.pid = pid};
  const struct process *found = all->count ? bsearch(&key, all->items, all->count, sizeof key, by_pid) : NULL;
  return found && !found->ended ? found : NULL;
}

static bool is_other(const struct victims *v, pid_t pid) {
  for (size_t i = 0; i < v->others.count; i++)
    if (v->others.items[i] == pid) return true;
  return false;
}

static bool belongs(struct processes *all, const struct victims *v, const struct process *process) {
  pid_t self = getpid();
  const struct process *ancestor = process;
  for (size_t hops = 0; ancestor && hops <= all->count; hops++) {
    if (is_other(v, ancestor->pid)) return false;
    if (v->root && ancestor->pid == v->root) return !v->keep_root || process->started_at >= v->since;
    if (ancestor->parent == self) return ancestor->started_at >= v->since;
    /* Came from outside: in no tree of the agent's. */
    if (ancestor->parent == 0) return false;
    ancestor = living(all, ancestor->parent);
  }
  /* Its parent went while /proc was read: the next pass sees whose child it is now. */
  if (process->started_at >= v->since) all->torn = true;
  return false;
}

/* Marks what is to be killed. */
static struct processes find(const struct victims *v) {
  struct processes all = read_processes();
  for (size_t i = 0; i < all.count; i++) {
    struct process *process = &all.items[i];
    if (process->ended || process->pid == getpid() || is_other(v, process->pid)) continue;
    if (v->root && process->pid == v->root) process->found = !v->keep_root;
    else process->found = belongs(&all, v, process);
  }
  return all;
}

static bool contains(const struct processes *all, const struct process *process) {
  for (size_t i = 0; i < all->count; i++)
    if (all->items[i].pid == process->pid && all->items[i].started_at == process->started_at) return true;
  return false;
}

/* Forgets all but the zombies and the found that were not seen before; true when there was none of these. */
static bool keep_fresh(struct processes *all, struct processes *seen) {
  size_t kept = 0;
  for (size_t i = 0; i < all->count; i++) {
    struct process process = all->items[i];
    if (!(process.ended || process.found) || contains(seen, &process)) continue;
    push(seen, &process);
    all->items[kept++] = process;
  }
  all->count = kept;
  return kept == 0;
}

static void signal_found(const struct processes *all, int signal) {
  for (size_t i = 0; i < all->count; i++)
    if (all->items[i].found) kill(all->items[i].pid, signal);
}

/* For what forks faster than /proc can be read: no fork escapes a signal that goes to all. */
static void freeze_and_kill(const struct victims *v) {
  kill(-1, SIGSTOP);
  struct processes doomed = {0};
  /* Once more after the last: a fork that was under way brings its child, stopped, a moment later. */
  for (bool more = true; more;) {
    struct processes all = find(v);
    signal_found(&all, SIGKILL);
    more = !keep_fresh(&all, &doomed);
    free(all.items);
  }
  struct processes all = read_processes();
  for (size_t i = 0; i < all.count; i++) {
    const struct process *process = &all.items[i];
    if (!process->ended && process->parent != 0 && !contains(&doomed, process)) kill(process->pid, SIGCONT);
  }
  free(all.items);
  free(doomed.items);
}

void kill_tree(const struct victims *v) {
  struct processes seen = {0};
  bool quiet = false;
  for (int pass = 0; pass < MAX_PASSES && !quiet; pass++) {
    struct processes all = find(v);
    /* What was killed is seen again until the kernel has freed its memory. */
    quiet = keep_fresh(&all, &seen) && !all.torn;
    signal_found(&all, SIGSTOP);
    signal_found(&all, SIGKILL);
    free(all.items);
  }
  free(seen.items);
  if (!quiet && getpid() == 1) freeze_and_kill(v);
}

static bool catches_flush(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  if (file_read(path, text, sizeof text) <= 0) return false;
  const char *caught = strstr(text, "\nSigCgt:");
  unsigned long long signals = caught ? strtoull(caught + 8, NULL, 16) : 0;
  return (signals >> (FLUSH_SIGNAL - 1) & 1) && !(signals >> (NO_FLUSH_SIGNAL - 1) & 1);
}

bool flush_tree(const struct victims *v, enum flush_stage *stage, bool late) {
  struct processes all = find(v);
  bool root = false, others = false;
  for (size_t i = 0; i < all.count; i++) {
    const struct process *process = &all.items[i];
    if (!process->found) continue;
    bool catches = catches_flush(process->pid);
    if (process->pid == v->root) root = catches;
    else others = others || catches;
    if (*stage == FLUSH_DESCENDANTS && !(catches && process->pid == v->root)) kill(process->pid, catches ? FLUSH_SIGNAL : SIGSTOP);
  }
  free(all.items);
  if (*stage == FLUSH_DESCENDANTS) *stage = FLUSHING_DESCENDANTS;
  if ((!others || late) && root && *stage != FLUSHING_ROOT) {
    *stage = FLUSHING_ROOT;
    kill(v->root, FLUSH_SIGNAL);
  }
  return others || root;
}

void kill_all(void) {
  pid_t self = getpid();
  if (self == 1) kill(-1, SIGKILL);
  else kill_tree(&(struct victims){.root = self, .keep_root = true});
}
