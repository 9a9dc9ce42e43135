/* What holds Bun just before its program, loaded into it as an addon (Node-API); see src/kernels/protocol.ts. */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CONTROL_FD = 3, FILE_FD = 4, LINE_BYTES = 256 * 1024 };

/* Ends the process; its last words say why. */
_Noreturn void give_up(const char *what);
/* The next line of the control socket, without its end; null when the service is gone. Valid until the next one. */
char *next_line(void);

/* Obeys orders to fork, of which `line` is the first. Returns in the children only, each in a sandbox. */
void serve_forks(char *line);

/* What a fork shares with its parent, or has not, and must have for itself: it is looked at once, in the parent. */
void inheritance_look(void);
void inheritance_renew(void);
bool inheritance_keeps(int fd);

/* The same of random numbers. */
void random_look(void);
void random_renew(void);

struct fork_order {
  char *sandbox;
  char *procs[16];
  size_t groups;
  char *members;
  int agent, ends[5], users;
  /* -1: the process's own. */
  long uid;
  char *cwd;
};

/* Opens what entering takes that is not seen from inside; once. */
void enter_open(void);
/*
 * Forks this process into a sandbox: 0 in the process inside, outside the number of that one, or -1 where there is none. `enter_open` was
 * called before.
 */
pid_t enter_sandbox(const struct fork_order *o);

#endif
