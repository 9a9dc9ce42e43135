/* Kills whole trees of processes, by what /proc shows of them. */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"

struct victims {
  /* 0 for none: it has ended. */
  pid_t root;
  bool keep_root;
  /* Roots of other programs; they and what descends from them are spared. */
  struct ints others;
  /* Only what started since then, in hundredths of a second since boot. */
  uint64_t since;
};

/*
 * Kills what descends from a program, and what was orphaned since it began and belongs to no other program. Everything is stopped
 * before anything is killed, and that is repeated until nothing new is found and nothing has ended while /proc was read, since
 * what ends may have forked unseen. An orphan counts to every program that ran when it was born.
 */
void kill_tree(const struct victims *v);
/* Ends whatever the agent has started. */
void kill_all(void);
/* Hundredths of a second since boot, the unit of a process's start in /proc. */
uint64_t boot_ticks(void);

#endif
