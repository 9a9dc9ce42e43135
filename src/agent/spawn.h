/* Starts programs. */
#ifndef SPAWN_H
#define SPAWN_H

#include "frames.h"
#include "terminal.h"

#include <sys/types.h>

/* One side of what a program is started with; -1 for what it has not. */
struct ends {
  int input, output, errors, control;
  /* A standard input that came whole: what a program reads as its descriptor 4, and what the agent writes. */
  int file;
  /*
   * A terminal's end that the program has as all its standard streams. The agent keeps it open too: the terminal goes on while nobody
   * else has, and ends when the program does.
   */
  int terminal;
  /*
   * The program's ends of its output, which the agent keeps open until it has ended: who leaves closes both before that, and each
   * would wake the agent once more.
   */
  int kept_output, kept_errors;
};

/* No descriptor at all. */
static const struct ends NO_ENDS = {-1, -1, -1, -1, -1, -1, -1, -1};

/* TO_SPAWN and TO_PREPARE: `u8 flags, text cwd, u32 count, text… argv, u32 count, text… NAME=value`, for a terminal
 * `u32 columns, u32 rows` after that. */
struct spawn_request {
  bool pipes_input, has_control;
  /* Marks the pipes of its output, for interpreters of the program's whole tree: they are open to append, which changes nothing of a pipe. */
  bool is_live;
  /* It is held before its first instruction until the service says so. */
  bool is_held;
  /* A debugger; see confine.h. */
  bool traces;
  /* Its standard input is a file, or with a pipe may be: then descriptor 4 is that. */
  bool has_file;
  /* Its standard streams are one terminal, which controls it. */
  bool has_terminal;
  struct terminal_size size;
  /* The file, if it is there already; the request's to close. */
  int input;
  char *cwd;
  char **argv, **env;
  /* Of argv and env together. */
  size_t bytes;
  /* An argument or variable holds one, which would end it there. */
  bool holds_nul;
};

enum spawn_result { SPAWN_STARTED, SPAWN_NOT_FOUND, SPAWN_REFUSED, SPAWN_TOO_MANY };

/* For file operations and kernels: opens descriptors that must lie where no program's do. Once, before all else. */
void spawn_open(void);
struct spawn_request *spawn_parse(struct fields *f);
/* `u32 columns, u32 rows` */
struct terminal_size take_size(struct fields *f);
void spawn_free(struct spawn_request *r);
/* The pipes of a program, one end of each the agent's. False with errno. */
bool open_ends(const struct spawn_request *r, struct ends *mine, struct ends *theirs);
void close_ends(const struct ends *e);
/* The program has its ends: what the agent does not keep of them is closed. */
void give_ends(struct ends *mine, struct ends *theirs);

/* A process on its way to be a program. */
struct start {
  pid_t pid;
  struct ends mine;
  /* Where it says why it could not, and if it is held is told to begin. */
  int report;
};

/*
 * Starts a program in a session of its own, with default signals and nothing inherited but its descriptors: makes the process, and waits
 * until it is the program. Other results than SPAWN_STARTED leave a sentence in `refusal`, and nothing else. One that is held is no child
 * to waitpid(2) until it is the program, unless that is asked for: so nobody else gets its number, whatever happens to it meanwhile.
 * `alone`: nothing runs that could keep it from beginning.
 */
enum spawn_result spawn_make(const struct spawn_request *r, int cwd, bool alone, struct start *s);
/* `meanwhile` is called while it does not begin; false gives it up. */
enum spawn_result spawn_begin(const struct spawn_request *r, struct start *s, bool (*meanwhile)(void));

#endif
