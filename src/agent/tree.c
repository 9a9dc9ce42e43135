#define _GNU_SOURCE
#include "tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "processes.h"
#include "protocol.h"

/* Passes over /proc before everything is stopped at once instead. */
enum { MAX_PASSES = 20 };

uint64_t boot_ticks(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
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
    ancestor = process_living(all, ancestor->parent);
  }
  /* Its parent went while /proc was read: the next pass sees whose child it is now. */
  if (process->started_at >= v->since) all->torn = true;
  return false;
}

/* Marks what is to be killed. */
static struct processes find(const struct victims *v) {
  struct processes all = processes_read();
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
    processes_push(seen, &process);
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
  struct processes all = processes_read();
  for (size_t i = 0; i < all.count; i++) {
    const struct process *process = &all.items[i];
    if (!process->ended && process->parent != 0 && !contains(&doomed, process)) kill(process->pid, SIGCONT);
  }
  free(all.items);
  free(doomed.items);
}

bool tree_lives(const struct victims *v) {
  struct processes all = find(v);
  bool lives = false;
  for (size_t i = 0; i < all.count && !lives; i++) lives = all.items[i].found;
  free(all.items);
  return lives;
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
  /* With process 1 the kernel ends all that is there (pid_namespaces(7)). */
  if (self != 1) kill_tree(&(struct victims){.root = self, .keep_root = true});
}
