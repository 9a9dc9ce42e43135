#define _GNU_SOURCE
#include "processes.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "proc.h"

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
      .pid = (pid_t)atoi(pid), .parent = parent, .started_at = started_at, .ended = state == 'Z' || state == 'X',
      .stopped = state == 'T' || state == 't'};
  return true;
}

void processes_push(struct processes *all, const struct process *process) {
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

struct processes processes_read(void) {
  struct processes all = {0};
  DIR *directory = opendir("/proc");
  if (!directory) die_errno("opening /proc");
  for (struct dirent *entry; (entry = readdir(directory));) {
    struct process process;
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    if (read_process(entry->d_name, &process)) processes_push(&all, &process);
    else all.torn = true;
  }
  closedir(directory);
  if (all.count) qsort(all.items, all.count, sizeof *all.items, by_pid);
  return all;
}

const struct process *process_living(const struct processes *all, pid_t pid) {
  struct process key = {.pid = pid};
  const struct process *found = all->count ? bsearch(&key, all->items, all->count, sizeof key, by_pid) : NULL;
  return found && !found->ended ? found : NULL;
}
