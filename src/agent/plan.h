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
/* Takes the steps, in the calling process's namespaces; `disk` is a mount's descriptor, for those that show it; `home`: those that are
 * taken for a home alone are taken too. */
void plan_take(const struct plan *plan, int disk, bool home);
/* Unmounts what the steps name that no sandbox needs, in the calling process's mount namespace. */
void plan_leave(const struct plan *plan);
/* A whole file; ends the process where it can't be read. */
char *read_whole(const char *path, size_t *length);

#endif
