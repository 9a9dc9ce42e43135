#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"
#include "input_file.h"
#include "poll_set.h"
#include "protocol.h"
#include "terminal.h"
#include "tree.h"

enum {
  NO_CODE = -1,
  /* More than the kernel holds of what was written to a terminal (drivers/tty/tty_buffer.c, drivers/tty/n_tty.c), which it does not count. */
  TERMINAL_BYTES = 128 * 1024,
};

static struct outbox *outbox;

struct program *program_new(struct outbox *o, uint32_t channel, pid_t pid, struct ends ends, uint64_t since) {
  outbox = o;
  struct program *p = allocate(sizeof *p);
  *p = (struct program){
      .channel = channel,
      .pid = pid,
      .ends = ends,
      .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
      .window = OUTPUT_WINDOW_BYTES,
      .rest = rest_new(),
      .since = since,
  };
  return p;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

bool program_finished(const struct program *p) { return p->over && p->ends.output < 0 && p->ends.errors < 0; }

bool program_impatient(const struct program *p) { return p->fifo[0] && p->ends.input >= 0 && p->input_ends; }

static void taken(const struct program *p, size_t bytes) {
  if (bytes) outbox_send_u32(outbox, FROM_INPUT_TAKEN, p->channel, (uint32_t)bytes);
}

/* Ends standard input; what was not taken is dropped. */
static void close_input(struct program *p) {
  if (p->fifo[0]) unlink(p->fifo);
  p->fifo[0] = 0;
  close_fd(&p->ends.input);
  close_fd(&p->ends.file);
  taken(p, buffer_length(&p->input));
  buffer_free(&p->input);
}

/* Whether a kernel has opened its named pipe; it unlinks it then. */
static bool opened(struct program *p) {
  struct stat status;
  if (p->fifo[0] && lstat(p->fifo, &status) == 0) return false;
  p->fifo[0] = 0;
  return true;
}

/* Writes what standard input takes. */
static void feed(struct program *p) {
  while (p->ends.input >= 0 && buffer_length(&p->input) > 0) {
    ssize_t wrote = write(p->ends.input, p->input.data + p->input.from, buffer_length(&p->input));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) return;
    if (wrote < 0) return close_input(p);
    taken(p, (size_t)wrote);
    buffer_consume(&p->input, (size_t)wrote);
  }
  if (p->input_ends && opened(p)) close_input(p);
}

void program_input(struct program *p, const struct fields *f) {
  if (p->ends.input < 0) return taken(p, f->left);
  buffer_append(&p->input, f->at, f->left);
  rest_end(&p->rest);
  feed(p);
}

void program_end_input(struct program *p) {
  p->input_ends = true;
  feed(p);
}

/* Writes what the control socket takes. */
static void tell_kernel(struct program *p) {
  while (p->ends.control >= 0 && buffer_length(&p->to_kernel) > 0) {
    ssize_t wrote = write(p->ends.control, p->to_kernel.data + p->to_kernel.from, buffer_length(&p->to_kernel));
    if (wrote >= 0) buffer_consume(&p->to_kernel, (size_t)wrote);
    else if (errno == EAGAIN) return;
    else if (errno != EINTR) buffer_free(&p->to_kernel);
  }
}

void program_control(struct program *p, const struct fields *f) {
  if (p->ends.control < 0) return;
  p->since = boot_ticks();
  buffer_append(&p->to_kernel, f->at, f->left);
  tell_kernel(p);
}

void program_credit(struct program *p, uint32_t bytes) {
  p->window = MIN(p->window + bytes, (int64_t)OUTPUT_WINDOW_BYTES);
}

void program_resize(const struct program *p, struct terminal_size size) {
  if (p->ends.terminal >= 0) terminal_resize(p->ends.output, size);
}

static void tell_input(const struct program *p) {
  outbox_send(outbox, FROM_INPUT_OPENED, p->channel, p->fifo, strlen(p->fifo));
}

void program_open_input(struct program *p, bool whole) {
  close_input(p);
  uint64_t random[2];
  must("getrandom", getrandom(random, sizeof random, 0));
  snprintf(p->fifo, sizeof p->fifo, "/tmp/.stdin-%016llx%08llx", (unsigned long long)random[0], (unsigned long long)random[1] >> 32);
  p->input_ends = false;
  /* A full or shut /tmp is the program's doing and no reason to end: then there is none. */
  if (whole) {
    p->ends.file = open(p->fifo, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
    if (p->ends.file < 0) close_input(p);
    return;
  }
  if (mkfifo(p->fifo, 0600) < 0) p->fifo[0] = 0;
  /* Open for both, so that opening does not wait for the kernel and what is written stays until it comes. */
  else p->ends.input = open(p->fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (p->ends.input < 0) close_input(p);
  tell_input(p);
}

void program_whole_input(struct program *p, const struct fields *f) {
  bool ends = f->left == 0, is_path = p->fifo[0];
  if (p->ends.file >= 0 && !input_file_write(p->ends.file, f->at, f->left)) close_input(p);
  if (!ends) return;
  if (p->ends.file >= 0 && !is_path) {
    input_file_seal(p->ends.file);
    /* The pipe is not what it reads. */
    return close_input(p);
  }
  close_fd(&p->ends.file);
  tell_input(p);
}

void program_exited(struct program *p, int status) {
  p->status = status;
  p->ended = true;
  close_input(p);
  close_fd(&p->ends.kept_output);
  close_fd(&p->ends.kept_errors);
}

/* How large the next frame may be. */
static size_t room(const struct program *p) {
  int64_t left = p->window - OUTPUT_FRAME_COST;
  if (left <= 0 || outbox_full(outbox)) return 0;
  return (size_t)MIN(left, (int64_t)DATA_FRAME_BYTES);
}

/* Reads straight into the outbox; returns what read(2) does. */
static ssize_t forward(struct program *p, uint8_t kind, int fd, size_t most) {
  ssize_t got = read(fd, outbox_place(outbox, most), most);
  if (got <= 0) return got;
  outbox_commit(outbox, kind, p->channel, (size_t)got);
  p->window -= got + OUTPUT_FRAME_COST;
  return got;
}

/* Reads one piece of output and forwards it; after the exit it is read and dropped. */
static size_t read_output(struct program *p, uint8_t kind, size_t most) {
  static uint8_t dropped[DATA_FRAME_BYTES];
  int *fd = kind == FROM_STDOUT ? &p->ends.output : &p->ends.errors;
  size_t *owed = kind == FROM_STDOUT ? &p->owed.output : &p->owed.errors;
  size_t bytes = p->over ? MIN(most, sizeof dropped) : MIN(most, room(p));
  if (*fd < 0 || bytes == 0) return 0;
  ssize_t got = p->over ? read(*fd, dropped, bytes) : forward(p, kind, *fd, bytes);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got <= 0) {
    close_fd(fd);
    *owed = 0;
    return 0;
  }
  *owed -= MIN(*owed, (size_t)got);
  return (size_t)got;
}

/* Bytes that wait in a pipe or a socket. */
static size_t left_in(int fd) {
  int bytes = 0;
  return fd < 0 || ioctl(fd, FIONREAD, &bytes) < 0 ? 0 : (size_t)bytes;
}

/* Control is counted first: what was printed before it is in the pipes by then. */
static void count(struct program *p) {
  p->owed.control = left_in(p->ends.control);
  p->owed.output = p->ends.terminal >= 0 ? TERMINAL_BYTES : left_in(p->ends.output);
  p->owed.errors = left_in(p->ends.errors);
  p->owed.due = true;
}

/* False while some of one stream is left. */
static bool pay_output(struct program *p, uint8_t kind, size_t *owed) {
  while (*owed > 0) {
    if (room(p) == 0) return false;
    /* A program may have read from its own pipe. */
    if (read_output(p, kind, *owed) == 0) *owed = 0;
  }
  return true;
}

/* False while something is left. */
static bool pay(struct program *p) {
  if (!pay_output(p, FROM_STDOUT, &p->owed.output)) return false;
  if (!pay_output(p, FROM_STDERR, &p->owed.errors)) return false;
  if (p->owed.control > 0) disk_tell(outbox);
  while (p->owed.control > 0) {
    size_t bytes = MIN(p->owed.control, room(p));
    if (bytes == 0) return false;
    ssize_t got = forward(p, FROM_CONTROL, p->ends.control, bytes);
    p->owed.control = got > 0 ? p->owed.control - (size_t)got : 0;
  }
  return true;
}

static void tell_exit(struct program *p) {
  close_fd(&p->ends.control);
  disk_tell(outbox);
  int signal = p->status & 0x7f;
  int code = signal ? NO_CODE : (p->status >> 8) & 0xff;
  put_u32(put_u32(outbox_place(outbox, 8), (uint32_t)code), (uint32_t)signal);
  outbox_commit(outbox, FROM_EXIT, p->channel, 8);
  p->over = true;
  close_fd(&p->pidfd);
  /* Hangs it up: what goes on in its session finds its end. */
  if (p->ends.terminal >= 0) close_fd(&p->ends.output);
  close_fd(&p->ends.terminal);
}

/* Forwards what is owed as far as the service has granted, and after the last of it the exit. */
static void settle(struct program *p) {
  while (!p->over) {
    if (p->owed.due && !pay(p)) return;
    p->owed.due = false;
    if (!p->ended) return;
    if (p->counted) tell_exit(p);
    else count(p);
    p->counted = true;
  }
}

static void read_stream(struct program *p, uint8_t kind, size_t most) {
  size_t got = read_output(p, kind, most);
  if (got) rest_begin(&p->rest, kind, got);
}

/* What a stream that rests holds by then was written before, or not long after. */
static void on_output(void *of) {
  struct program *p = of;
  if (p->rest.of == FROM_STDERR) read_stream(p, FROM_STDERR, left_in(p->ends.errors));
  read_stream(p, FROM_STDOUT, DATA_FRAME_BYTES);
}

static void on_errors(void *of) {
  struct program *p = of;
  read_stream(p, FROM_STDOUT, left_in(p->ends.output));
  read_stream(p, FROM_STDERR, DATA_FRAME_BYTES);
}

static void on_pidfd(void *p) { close_fd(&((struct program *)p)->pidfd); }
static void on_input(void *p) { feed(p); }
static void on_to_kernel(void *p) { tell_kernel(p); }

/* The kernel has spoken: first what it had printed by then. */
static void on_control(void *of) {
  struct program *p = of;
  if (p->owed.due || p->ends.control < 0) return;
  count(p);
  if (p->owed.control > 0) return settle(p);
  /* Readable without a byte: the kernel has closed its end. */
  p->owed.due = false;
  close_fd(&p->ends.control);
}

static bool may_read(const struct program *p, int fd, uint8_t kind) {
  return fd >= 0 && (p->over || room(p) > 0) && !rest_holds(&p->rest, kind);
}

void program_poll(struct program *p, struct poll_set *set) {
  if (program_impatient(p)) feed(p);
  settle(p);
  if (p->pidfd >= 0) poll_add(set, p->pidfd, POLLIN, on_pidfd, p);
  if (may_read(p, p->ends.output, FROM_STDOUT)) poll_add(set, p->ends.output, POLLIN, on_output, p);
  if (may_read(p, p->ends.errors, FROM_STDERR)) poll_add(set, p->ends.errors, POLLIN, on_errors, p);
  if (p->ends.input >= 0 && buffer_length(&p->input) > 0) poll_add(set, p->ends.input, POLLOUT, on_input, p);
  if (p->ends.control < 0) return;
  if (room(p) > 0 && !p->owed.due) poll_add(set, p->ends.control, POLLIN, on_control, p);
  if (buffer_length(&p->to_kernel) > 0) poll_add(set, p->ends.control, POLLOUT, on_to_kernel, p);
}

void program_free(struct program *p) {
  close_input(p);
  close_fd(&p->pidfd);
  close_fd(&p->ends.output);
  close_fd(&p->ends.errors);
  close_fd(&p->ends.control);
  close_fd(&p->ends.terminal);
  close_fd(&p->ends.kept_output);
  close_fd(&p->ends.kept_errors);
  buffer_free(&p->to_kernel);
  free(p);
}
