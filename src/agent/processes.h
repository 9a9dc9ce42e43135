/* What runs, as /proc shows it. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
  pid_t pid, parent;
  uint64_t started_at;
  /* A zombie: it does nothing any more and waits to be collected. */
  bool ended;
  /* It stands still: stopped by a signal, or by who traces it. */
  bool stopped;
  bool found;
};

struct processes {
  struct process *items;
  size_t count, capacity;
  /* Something vanished while they were read. */
  bool torn;
};

/* All of them, by number; the list is the caller’s to free. */
struct processes processes_read(void);
/* One of them that has not ended; NULL for none. */
const struct process *process_living(const struct processes *all, pid_t pid);
void processes_push(struct processes *all, const struct process *process);

#endif
