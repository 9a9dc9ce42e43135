/* Control groups of one server, by their names: made for a sandbox, and taken away once nothing lives in them. */
#ifndef GROUPS_H
#define GROUPS_H

#include <stdbool.h>
#include <stdint.h>

/* Where they lie. All strings live as long as the process. */
struct places {
  /* A directory of every hierarchy that groups lie below, to the NULL behind the last. */
  char **parents;
  /* The one that shares out the CPU, and the file and its text that leave a group all of it. */
  const char *cpu, *cpu_file, *cpu_text;
  /* The one that counts memory, the field of memory.stat with its files' part, and the file and its text that give that back. */
  const char *memory, *field, *memory_file, *memory_text;
  /* Has a kept group give that back and go, by a name that it frees. */
  void (*owing)(char *id);
};

/* False with errno. What was made stays. Where version 1 counts memory by itself, its group may be one that has ended: see groups_leave. */
bool groups_make(const struct places *p, char **directories, char **settings);
/* One that has to end is not held back: with a small share of the CPU it would take long. */
void group_hurry(const struct places *p, const char *id);
/* Gives back what it has in memory of files, unless that is much: takes as long as it takes. */
void group_reclaim(const struct places *p, const char *id);
/*
 * Keeps the memory group of one that nothing lives in any more and that has to give back what it has of files; false where it can't be
 * kept. It need not once it is used again, and few are charged for anything: what it takes to find out is done by the way, later.
 */
bool groups_keep(const struct places *p, const char *id);
/* A name without a way out of the parents. */
bool is_group(const char *id);

/* Says once whether a group is gone. */
typedef void groups_gone(uint32_t channel, bool gone);
/*
 * Takes a group away, now or by `groups_retry`; keeps `id`, which it frees. One that counted memory is kept for a while by another name
 * where nothing that was counted stays, with the leaf that it began with: to make and free one costs the kernel more than all others.
 */
void groups_leave(const struct places *p, uint32_t channel, char *id, groups_gone *said);
/* Milliseconds until it is to be called; -1: nothing is left to take away. */
int groups_wait(void);
/* Tries those again whose time has come. */
void groups_retry(const struct places *p, groups_gone *said);

/* Kills what is in any group and takes it away, with the parents; true once nothing is left. */
bool groups_sweep(const struct places *p);

#endif
