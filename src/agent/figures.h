/*
 * What programs see of the machine: as many CPUs as their limit means, and files in /proc that tell of no more memory and CPUs than
 * they may have.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include "frames.h"

enum {
  MOST_FIGURES = 3,
  /* What they may take of the disk that they lie on, with their directory: a page of the largest for each, or what tells of some forty CPUs. */
  FIGURES_BYTES = MOST_FIGURES * 64 * 1024,
  FIGURES_INODES = MOST_FIGURES + 1,
};

/* Makes a file that a plan shows in /proc, empty and nobody's to write, and keeps it open in a descriptor far up; -1 with errno. */
int figures_make(const char *path);
/* Puts them where they stay, from `first` on; returns the next number. All that lies there is closed. */
int figures_put(int first);
/* Remembers the CPUs that the agent itself may use; before all else. */
void figures_begin(void);
/* SHOW_LIMITS: `u32 cpus, u32 first_cpu, u32 count, text… files`. For the agent, all that runs, if something ever did, and so all that it starts. */
void figures_show(struct fields *f, bool begun);

#endif
