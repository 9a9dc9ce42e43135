/*
 * A program and its channel. Output and control are read only as far as the service has granted; what was written before a control
 * message or before the exit is forwarded first, counted by FIONREAD, so that a daemon which keeps a pipe open holds nothing up.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <sys/types.h>

#include "frames.h"
#include "rest.h"
#include "spawn.h"
#include "tree.h"

struct poll_set;

struct program {
  struct program *next;
  uint32_t channel;
  pid_t pid;
  /* The agent's own. */
  struct ends ends;
  /* Becomes readable when the process ends; negative where the kernel has none. */
  int pidfd;
  /* What it may still send. */
  int64_t window;
  struct rest rest;
  struct buffer input, to_kernel;
  bool input_ends;
  /* Path of the named pipe or file a kernel is about to open; empty for none. */
  char fifo[48];
  /* What was there at one moment and is to be forwarded: output first, then control. */
  struct {
    bool due;
    size_t output, errors, control;
  } owed;
  /* As waitpid(2) gives it; its process has been reaped, and its number may be another's by now. */
  int status;
  bool ended;
  /* What it left in its pipes when it ended has been counted. */
  bool counted;
  /* Its exit has been told. */
  bool over;
  /* When it is killed at the latest, having been asked to write what it holds; 0: it was not asked. See now_ms. */
  double kill_by;
  enum flush_stage flushing;
  /* When it began, or a kernel's last cell did; see boot_ticks. */
  uint64_t since;
};

struct program *program_new(struct outbox *o, uint32_t channel, pid_t pid, struct ends ends, uint64_t since);
/* Nothing of it is left to poll. */
bool program_finished(const struct program *p);
/* A kernel waits for its named pipe to be opened, which nothing signals. */
bool program_impatient(const struct program *p);
void program_input(struct program *p, const struct fields *f);
void program_end_input(struct program *p);
/* Of its terminal, if it has one. */
void program_resize(const struct program *p, struct terminal_size size);
void program_control(struct program *p, const struct fields *f);
void program_credit(struct program *p, uint32_t bytes);
/* Makes a named pipe, fed from now on, and says where it is; or a file, which is told once it is whole. */
void program_open_input(struct program *p, bool whole);
void program_whole_input(struct program *p, const struct fields *f);
void program_exited(struct program *p, int status);
/* Does what can be done at once, and says what to wait for. */
void program_poll(struct program *p, struct poll_set *set);
void program_free(struct program *p);

#endif
