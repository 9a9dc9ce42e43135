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
/* Whether some of that is still there: what was killed is, for a moment. Nothing of it may fork. */
bool tree_lives(const struct victims *v);
enum flush_stage { FLUSH_DESCENDANTS, FLUSHING_DESCENDANTS, FLUSHING_ROOT };
/*
 * Asks the victims that catch FLUSH_SIGNAL to write what they hold of their output and to end, the root last, whose end is the program's;
 * stops the others meanwhile. Called until it is false: none is left that was asked. `stage` is kept between the calls. `late`: the root
 * is asked though others are still there.
 */
bool flush_tree(const struct victims *v, enum flush_stage *stage, bool late);
/* Ends whatever the agent has started. */
void kill_all(void);
/* Hundredths of a second since boot, the unit of a process's start in /proc. */
uint64_t boot_ticks(void);

#endif
