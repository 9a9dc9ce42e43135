#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "input_file.h"
#include "proc.h"
#include "refusal.h"

enum {
  /* Where a kernel finds its control socket. */
  CONTROL_FD = 3,
  /* Where a program that waits finds the file that its standard input may be. */
  FILE_FD = 4,
  FIRST_OWN_FD = 10,
  /*
   * Programs compete with their agent only, inside one control group: a hundred busy ones in a twentieth of a core must still
   * leave it time to end them. What else runs on the machine is not affected.
   */
  LOWEST_PRIORITY = 19,
  /*
   * What a program may take to begin: long, for a sandbox may have a thousandth of a core, and less than the service waits for an
   * agent. How often it is looked at meanwhile. Milliseconds.
   */
  BEGIN_MS = 15000,
  STEP_MS = 20,
};

static int dev_null = -1;
static int score_fd = -1;
static char own_score[16];

void spawn_open(void) {
  /* Keeps descriptors 3 and 4 taken, so that no pipe of ours lies where the control socket and the file go. */
  int nothing = (int)must("opening /dev/null", open("/dev/null", O_RDWR | O_CLOEXEC));
  dev_null = (int)must("fcntl", fcntl(nothing, F_DUPFD_CLOEXEC, FIRST_OWN_FD));
  int second = (int)must("fcntl", fcntl(nothing, F_DUPFD_CLOEXEC, FILE_FD));
  if (second != FILE_FD) close(second);
  if (nothing != CONTROL_FD) close(nothing);
  /* Opened now: once the agent is not dumpable, its own files in /proc belong to root. */
  long length = file_read("/proc/self/oom_score_adj", own_score, sizeof own_score);
  must("reading oom_score_adj", length);
  score_fd = (int)must("opening oom_score_adj", open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC));
}

/* Closes all from `first` on but `kept`. */
static int close_from(int first, int kept) {
  if (kept > first && close_range((unsigned)first, (unsigned)kept - 1, 0) == 0 && close_range((unsigned)kept + 1, ~0u, 0) == 0) return 0;
  if (errno != ENOSYS) return -1;
  /* Before Linux 5.9. */
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
  for (int fd = first; (rlim_t)fd < limit.rlim_cur; fd++)
    if (fd != kept) close(fd);
  return 0;
}

static char **take_texts(struct fields *f, struct spawn_request *r) {
  size_t count = take_u32(f);
  /* Each takes four bytes at least. */
  if (f->broken || count > f->left / 4) die("a malformed payload");
  char **texts = allocate((count + 1) * sizeof *texts);
  for (size_t i = 0; i < count; i++) {
    texts[i] = take_name(f);
    if (!texts[i]) {
      r->holds_nul = true;
      texts[i] = copy_text("");
    }
    r->bytes += strlen(texts[i]) + 1;
  }
  texts[count] = NULL;
  return texts;
}

struct terminal_size take_size(struct fields *f) {
  uint16_t columns = (uint16_t)take_u32(f), rows = (uint16_t)take_u32(f);
  return (struct terminal_size){columns, rows};
}

struct spawn_request *spawn_parse(struct fields *f) {
  struct spawn_request *r = allocate(sizeof *r);
  *r = (struct spawn_request){.input = -1};
  uint8_t flags = take_u8(f);
  r->pipes_input = flags & 1;
  r->has_control = flags & 2;
  r->has_file = flags & 4;
  r->is_live = flags & 8;
  r->has_terminal = flags & 16;
  r->is_held = flags & 32;
  r->traces = flags & 64;
  r->cwd = take_name(f);
  if (!r->cwd) r->cwd = copy_text("");
  r->argv = take_texts(f, r);
  r->env = take_texts(f, r);
  if (r->has_terminal) r->size = take_size(f);
  take_end(f);
  return r;
}

static void free_texts(char **texts) {
  for (char **text = texts; *text; text++) free(*text);
  free(texts);
}

void spawn_free(struct spawn_request *r) {
  free_texts(r->argv);
  free_texts(r->env);
  free(r->cwd);
  if (r->input >= 0) close(r->input);
  free(r);
}

void close_ends(const struct ends *e) {
  const int all[] = {e->input, e->output, e->errors, e->control, e->file, e->terminal, e->kept_output, e->kept_errors};
  int error = errno;
  for (size_t i = 0; i < LENGTH(all); i++)
    if (all[i] >= 0) close(all[i]);
  errno = error;
}

void give_ends(struct ends *mine, struct ends *theirs) {
  mine->kept_output = theirs->output;
  mine->kept_errors = theirs->errors;
  theirs->output = theirs->errors = -1;
  close_ends(theirs);
}

/* `mine` does not wait; the program's end does. */
static bool open_pipe(int *from, int *to, int *mine) {
  int both[2];
  if (pipe2(both, O_CLOEXEC) < 0) return false;
  *from = both[0];
  *to = both[1];
  return fcntl(*mine, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_control(int *mine, int *theirs) {
  int both[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0) return false;
  *mine = both[0];
  *theirs = both[1];
  return fcntl(*mine, F_SETFL, O_RDWR | O_NONBLOCK) == 0;
}

/* Its standard input: nothing, a pipe, a file, or a pipe and a file. */
static bool open_input(const struct spawn_request *r, struct ends *mine, struct ends *theirs) {
  if (r->pipes_input && !open_pipe(&theirs->input, &mine->input, &mine->input)) return false;
  if (!r->has_file) return true;
  if (!r->pipes_input) return (theirs->input = input_file_reader(r->input)) >= 0;
  return (mine->file = input_file_make()) >= 0 && (theirs->file = input_file_reader(mine->file)) >= 0;
}

/* One for all standard streams; what is typed and what is shown are one descriptor of the agent's, by two numbers. */
static bool open_terminal(const struct spawn_request *r, struct ends *mine, struct ends *theirs) {
  return terminal_open(r->size, &mine->output, &theirs->terminal) &&
         (mine->input = fcntl(mine->output, F_DUPFD_CLOEXEC, 0)) >= 0 && (mine->terminal = fcntl(theirs->terminal, F_DUPFD_CLOEXEC, 0)) >= 0;
}

static bool open_pipes(const struct spawn_request *r, struct ends *mine, struct ends *theirs) {
  return open_input(r, mine, theirs) &&
      open_pipe(&mine->output, &theirs->output, &mine->output) && open_pipe(&mine->errors, &theirs->errors, &mine->errors) &&
      (!r->has_control || open_control(&mine->control, &theirs->control)) &&
      (!r->is_live || (fcntl(theirs->output, F_SETFL, O_APPEND) == 0 && fcntl(theirs->errors, F_SETFL, O_APPEND) == 0));
}

bool open_ends(const struct spawn_request *r, struct ends *mine, struct ends *theirs) {
  *mine = *theirs = NO_ENDS;
  if (r->has_terminal ? open_terminal(r, mine, theirs) : open_pipes(r, mine, theirs)) return true;
  close_ends(mine);
  close_ends(theirs);
  return false;
}

static const char *path_of(char **env) {
  for (; *env; env++)
    if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
  return "";
}

static enum spawn_result not_executable(const char *name) {
  refuse("Program cannot be executed: %s", name);
  return SPAWN_REFUSED;
}

/* Finds a program as a shell would that starts in `cwd`; the path is the caller's to free. */
static enum spawn_result look_up(const struct spawn_request *r, int cwd, char **program) {
  const char *name = r->argv[0] ? r->argv[0] : "";
  if (strchr(name, '/')) return *program = copy_text(name), SPAWN_STARTED;
  bool met = false;
  const char *directory = path_of(r->env);
  char *candidate = allocate(strlen(directory) + strlen(name) + 4);
  while (*name) {
    size_t length = strcspn(directory, ":");
    char *end = candidate;
    if (length == 0) *end++ = '.';
    end = (char *)memcpy(end, directory, length) + length;
    *end++ = '/';
    memcpy(end, name, strlen(name) + 1);
    struct stat status;
    if (fstatat(cwd, candidate, &status, 0) == 0 && !S_ISDIR(status.st_mode)) {
      if (faccessat(cwd, candidate, X_OK, 0) == 0) return *program = candidate, SPAWN_STARTED;
      met = true;
    }
    if (!directory[length]) break;
    directory += length + 1;
  }
  free(candidate);
  if (met) return not_executable(name);
  /* What was meant for a shell. */
  bool line = name[strcspn(name, " \t\n")] != 0;
  refuse("Program not found: %s%s", name, line ? " (one name; a shell takes a line: sh -c)" : "");
  return SPAWN_NOT_FOUND;
}

struct making {
  const char *program;
  char **argv, **env;
  int cwd;
  struct ends ends;
  bool is_held, traces, alone;
};

static bool may_begin(int report) {
  char word;
  ssize_t got;
  while ((got = read(report, &word, 1)) < 0 && errno == EINTR) {
  }
  return got == 1;
}

/* Becomes the program; says on `report` why not. */
_Noreturn static void become(const struct making *s, int report) {
  const struct sigaction usual = {.sa_handler = SIG_DFL};
  sigset_t none;
  sigemptyset(&none);
  const struct ends *e = &s->ends;
  bool has_terminal = e->terminal >= 0;
  int input = has_terminal ? e->terminal : e->input < 0 ? dev_null : e->input;
  int output = has_terminal ? e->terminal : e->output, errors = has_terminal ? e->terminal : e->errors;
  int first = e->file >= 0 ? FILE_FD + 1 : e->control >= 0 ? CONTROL_FD + 1 : CONTROL_FD;
  /* Where nothing of the program's goes. */
  int kept = fcntl(report, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  if (kept < 0 || setsid() < 0 || fchdir(s->cwd) < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
      dup2(errors, 2) < 0 || (has_terminal && ioctl(0, TIOCSCTTY, 0) < 0) || (e->control >= 0 && dup2(e->control, CONTROL_FD) < 0) ||
      (e->file >= 0 && dup2(e->file, FILE_FD) < 0) ||
      /* Also what the agent itself was handed by mistake. */
      close_from(first, kept) < 0)
    goto failed;
  setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
  /* An exec gives handlers up by itself, but not what is ignored. */
  sigaction(SIGPIPE, &usual, NULL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (s->is_held && !may_begin(kept)) _exit(127);
  if (confine(s->traces) < 0) goto failed;
  execve(s->program, s->argv, s->env);
failed:;
  int error = errno;
  if (write(kept < 0 ? report : kept, &error, sizeof error) < 0) {
    /* The agent sees that nothing came. */
  }
  _exit(127);
}

/*
 * Waits for the program to begin; 0, or why it did not. Another program of the same user may stop it before it has: it is sent on its
 * way, and what sockets hold is watched meanwhile.
 */
static int await_exec(const struct start *s, bool (*meanwhile)(void)) {
  int error = 0;
  for (int waited = 0; waited < BEGIN_MS; waited += STEP_MS) {
    struct pollfd entry = {.fd = s->report, .events = POLLIN};
    int ready = poll(&entry, 1, STEP_MS);
    if (ready > 0) {
      ssize_t got = read(s->report, &error, sizeof error);
      /* Reset: it was killed before it had read its word. */
      if (got == 0 || (got < 0 && errno == ECONNRESET)) return 0;
      if (got == sizeof error) break;
    }
    if (ready == 0) kill(s->pid, SIGCONT);
    if (!meanwhile()) break;
  }
  kill(s->pid, SIGKILL);
  waitpid(s->pid, NULL, __WALL);
  return error ? error : EAGAIN;
}

/*
 * A program inherits what the agent is at the moment of the fork: the first to be killed when memory runs out. It can take that
 * back, and then a program that fills the memory with many small processes may lose its agent, and so its own sandbox, which is
 * told as memory_limit.
 */
static void be_expendable(const char *score) {
  if (pwrite(score_fd, score, strlen(score), 0) < 0) {
    /* It keeps the score that it has. */
  }
}

/* The ends of a pipe, or of a socket pair where something goes in too: the agent's and the process's. */
static int open_report(bool is_held, int report[2]) {
  return is_held ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report) : pipe2(report, O_CLOEXEC);
}

/*
 * One that is held ends without a signal, and so is nobody's to collect by the way; an exec makes it a child like others (clone(2)).
 * Where nobody is there who could stop it on its way, the agent stands still until it is the program, and no page is copied: to copy the
 * tables of them all costs more than all the rest of it.
 */
#define FORK(m) ((m)->is_held ? (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0) : (m)->alone ? vfork() : fork())

/* 0, or an error number. */
static int make(const struct making *m, struct start *s) {
  int report[2];
  if (open_report(m->is_held, report) < 0) return errno;
  be_expendable("1000");
  pid_t pid = FORK(m);
  int error = errno;
  if (pid == 0) become(m, report[1]);
  s->pid = pid;
  be_expendable(own_score);
  close(report[1]);
  s->report = report[0];
  if (pid > 0) return 0;
  close(report[0]);
  return error;
}

static enum spawn_result failure(int error, const struct spawn_request *r) {
  const char *name = r->argv[0] ? r->argv[0] : "";
  switch (error) {
    case ENOENT:
      return refuse("Program not found: %s", name), SPAWN_NOT_FOUND;
    case EACCES:
    case ENOEXEC:
    case EPERM:
      return not_executable(name);
    case EAGAIN:
      return refuse("Too many processes to start %s", name), SPAWN_TOO_MANY;
    case ENOSPC:
      return refuse("No terminal is left in the sandbox to start %s", name), SPAWN_REFUSED;
    case E2BIG:
      return refuse("Arguments and environment are too long: %zu bytes", r->bytes), SPAWN_REFUSED;
    default:
      return refuse("Program cannot be started: %s (errno %d)", name, error), SPAWN_REFUSED;
  }
}

enum spawn_result spawn_make(const struct spawn_request *r, int cwd, bool alone, struct start *s) {
  if (r->holds_nul) return refuse("Arguments and environment cannot hold a NUL"), SPAWN_REFUSED;
  char *program;
  enum spawn_result result = look_up(r, cwd, &program);
  if (result != SPAWN_STARTED) return result;
  struct making m = {.program = program, .argv = r->argv, .env = r->env, .cwd = cwd, .is_held = r->is_held, .traces = r->traces,
                     .alone = alone};
  int error;
  if (open_ends(r, &s->mine, &m.ends)) {
    error = make(&m, s);
    give_ends(&s->mine, &m.ends);
    if (error) close_ends(&s->mine);
  } else {
    error = errno;
  }
  free(program);
  return error ? failure(error, r) : SPAWN_STARTED;
}

enum spawn_result spawn_begin(const struct spawn_request *r, struct start *s, bool (*meanwhile)(void)) {
  /* What was killed does not hear it, and its end tells. */
  if (r->is_held && send(s->report, "", 1, MSG_NOSIGNAL) < 0 && errno != EPIPE) {
    /* It is waited for in vain, and given up. */
  }
  int error = await_exec(s, meanwhile);
  close(s->report);
  if (!error) return SPAWN_STARTED;
  close_ends(&s->mine);
  return failure(error, r);
}
