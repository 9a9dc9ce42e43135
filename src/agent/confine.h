/* Filters on system calls: a sandbox's, and what a program may not do that its agent may. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Called by a process before it becomes a program, for it and all that it starts: no filter on system calls can be added any more, and
 * unless it `traces`, as a debugger does, ptrace(2) is refused. The sandbox's own filter (src/seccomp/rules.ts) allows the agent both, of
 * ptrace(2) only what reaches one's own children. Less than 0 with errno; async-signal-safe.
 */
int confine(bool traces);

/* Puts the caller, and all that it starts, behind a filter of instructions of eight bytes; ends the process where that fails. */
void apply_filter(const char *filter, size_t bytes);
/* The same by a file, which a process without privileges may do as well. */
void apply_filter_of(const char *path);

#endif
