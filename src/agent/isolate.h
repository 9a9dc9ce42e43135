/* Makes a process that was just forked by a privileged one a sandbox, or an interpreter that waits for being forked into sandboxes. */
#ifndef ISOLATE_H
#define ISOLATE_H

#include <stdint.h>

#include "frames.h"
#include "plan.h"

/* What all of them share. */
struct makings {
  /* Of a sandbox, and of an interpreter that waits. */
  struct plan sandbox, template;
  /* The system call filter, in instructions of eight bytes. */
  char *filter;
  size_t filter_bytes;
  /* Where the process's own command line lies. */
  char *words;
  size_t words_bytes;
};

/*
 * START: `u8 own_user, u32 uid, u32 open_files, u8 home, u64 disk_bytes, u32 inodes, u32 count, text… procs, text group,
 * text socket, text greeting, u32 count, text… directories, u32 count, text… settings, u8 network, u32 count, text… blocks`.
 */
struct sandbox_request {
  uint32_t channel;
  /* It becomes `uid` first; else it stays who it is, whom its user namespace calls `uid`. */
  bool own_user;
  uint32_t uid;
  uint32_t open_files;
  /* Its files are seen in a second place too. */
  bool home;
  uint64_t disk_bytes;
  uint32_t inodes;
  /* The files whose writers enter its control groups. */
  char **procs;
  /* The directory of its only control group, where there is but one and a process can be born in it; or empty. */
  char *group;
  /* Name of the server's abstract socket, and what to say there first. */
  char *socket, *greeting;
  /* A network namespace to use again (networks.h); or -1. */
  int known_network;
  /* Control groups to make, and what to write to their files: a name and a text each. */
  char **directories, **settings;
  /* Its network is open for a relay, and these addresses are its own (network.h). */
  bool network;
  char **blocks;
};

/*
 * TEMPLATE: `u32 open_files, u32 count, text… procs, u32 count, text… argv, u32 count, text… NAME=value, u32 count, text… directories,
 * u32 count, text… settings`.
 */
struct template_request {
  uint32_t open_files;
  char **procs, **argv, **env;
  /* As those of a sandbox. */
  char **directories, **settings;
};

/*
 * For the zygote, in a mount namespace of its own: has an empty directory that can't be written be this namespace's root, and the one
 * that was there this process's. The process is left outside of that, in the empty one, so that its children can cover it with what they
 * are to see (isolate.c). pivot_root(2) would have each of them look at every thread of the machine.
 */
void stand_apart(void);
/* Each ends the process at the first step that is refused. */
_Noreturn void become_sandbox(const struct makings *m, const struct sandbox_request *r, int disk, bool in_groups);
/* `control` becomes its descriptor 3. */
_Noreturn void become_template(const struct makings *m, const struct template_request *r, int control);
/* An empty disk with the parts that the plan names, as a mount that lies nowhere yet; -1 with errno. */
int make_disk(const struct plan *plan, const struct sandbox_request *r);
/* 0, or -1 with errno. */
int resize_disk(int disk, uint64_t bytes);

#endif
