/*
 * What a sandbox sees, as steps that the launcher has planned (src/launcher/steps.ts): the program here takes them one by one and
 * decides nothing. A step is six texts, each ended by a NUL: what to do, source, target, type, flags in decimal, data.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct step {
  const char *action, *source, *target, *type, *data;
  unsigned long flags;
};

struct plan {
  struct step *steps;
  size_t count;
};

/* Reads a whole file; the plan points into it for as long as the process lives. */
struct plan plan_read(const char *path);
struct taking {
  /* A mount's descriptor, for the steps that show it. */
  int disk;
  /* Those that are taken for a home alone are taken too. */
  bool home;
  /* Settings are made already. */
  bool is_set;
};

/* Takes the steps, in the calling process's namespaces. */
void plan_take(const struct plan *plan, struct taking how);
/* Sets flags of a mount, as mount_setattr(2) has them; `how`: AT_EMPTY_PATH, or 0x8000 for all that is mounted below. -1 with errno. */
long set_mount_flags(int directory, const char *path, int how, unsigned long flags);
/* Unmounts what the steps name that no sandbox needs, in the calling process's mount namespace. */
void plan_leave(const struct plan *plan);
/* A whole file; ends the process where it can't be read. */
char *read_whole(const char *path, size_t *length);

#endif
