#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "direct.h"
#include "disk.h"
#include "figures.h"
#include "files.h"
#include "frames.h"
#include "input_file.h"
#include "place.h"
#include "poll_set.h"
#include "program.h"
#include "protocol.h"
#include "refusal.h"
#include "refusal_frame.h"
#include "sockets.h"
#include "spawn.h"
#include "stream.h"
#include "tree.h"

enum {
  /* Orphans are looked for this often while anything runs, for they end without a word; and sockets, while nothing happens. */
  REAP_MS = 250,
  /* The same when the service has been silent for long: a kernel's threads may go on. Milliseconds. */
  IDLE_MS = 1000,
  /* A kernel opens its named pipe within this; see program_impatient. */
  FIFO_MS = 1,
  /* For this long after the last word it is likely that something runs. */
  PARKED_MS = 5000,
  /* Ended programs whose leftovers can still be killed. */
  REMEMBERED = 64,
  /* How long a start waits for what is being killed. */
  DYING_MS = 1000,
  /* What an interpreter may take to write what it holds before it is killed, and how often it is looked at meanwhile. */
  FLUSH_MS = 1000,
  FLUSH_STEP_MS = 5,
  MAX_SIGNAL = 64,
};

/* A program that is being started elsewhere. */
struct prepared {
  struct prepared *next;
  uint32_t channel;
  struct spawn_request *request;
  struct ends mine, theirs;
  int users;
  uint64_t since;
};

/* A program that is held before its first instruction. */
struct held {
  struct held *next;
  uint32_t channel;
  struct spawn_request *request;
  struct start start;
  uint64_t since;
};

static struct outbox outbox = {.fd = STDOUT_FILENO};
static struct decoder decoder;
/* Where its words come from. */
static int service = STDIN_FILENO;
static struct program *programs;
static struct prepared *prepared;
static struct held *held;
/* Whether a program was ever asked for. */
static bool begun;
static struct {
  uint32_t channel;
  uint64_t since;
} forgotten[REMEMBERED];
static size_t forgotten_count;
static double spoken_at;
static long patience_for_service;

static struct program *find_program(uint32_t channel) {
  struct program *p = programs;
  while (p && p->channel != channel) p = p->next;
  return p;
}

/* Something runs: a program, or what one has left behind. */
static bool running;

/* Collects every child that has ended, orphans included. */
static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    /* A debugger that offers itself to its parent is not obeyed: it stands still until it is killed. */
    if (WIFSTOPPED(status)) continue;
    for (struct program *p = programs; p; p = p->next)
      if (p->pid == pid && !p->ended) program_exited(p, status);
  }
  running = pid == 0;
}

static struct program *watch(uint32_t channel, pid_t pid, struct ends ends, uint64_t since) {
  struct program **last = &programs;
  while (*last) last = &(*last)->next;
  *last = program_new(&outbox, channel, pid, ends, since);
  if (!running) sockets_begin();
  running = true;
  outbox_send_u32(&outbox, FROM_SPAWNED, channel, (uint32_t)pid);
  return *last;
}

/* Where a program starts. Elsewhere than below the root it may come by itself, and so it may start there. */
static int open_start(const char *path) {
  if (path[0] != '/' || below_root(path)) return files_open_directory(path);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) refuse_call(errno, path);
  return fd;
}

static void fail(uint32_t channel, enum failure reason) {
  refusal_reason = (uint8_t)reason;
  send_refusal(&outbox, FROM_FAILED, channel);
}

/* The kernel gives back what sockets hold when their network namespace is gone, and not before. */
_Noreturn static void give_up(void) {
  outbox_send(&outbox, FROM_OUT_OF_MEMORY, 0, NULL, 0);
  outbox_flush(&outbox);
  die("its sockets hold more of the kernel’s memory than a sandbox may have");
}

static double slowest(void) { return now_ms() - spoken_at < PARKED_MS ? REAP_MS : IDLE_MS; }

/* What its programs have used of the CPU, milliseconds; not of what they have started, unless that has ended. */
static double cpu_time(void) {
  double sum = 0;
  for (struct program *p = programs; p; p = p->next) {
    clockid_t clock;
    struct timespec used;
    if (p->ended || clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &used) < 0) continue;
    sum += (double)used.tv_sec * 1000 + (double)used.tv_nsec / 1e6;
  }
  return sum;
}

/* While a program does not begin; see spawn. */
static bool go_on(void) {
  if (sockets_exceed(slowest(), cpu_time)) give_up();
  return true;
}

static enum spawn_result spawn(const struct spawn_request *r, int cwd, struct start *s) {
  /* As process 1 it has all that was ever started here for its children, but for what others bring and what it holds. */
  bool alone = !running && !held && !prepared && getpid() == 1;
  enum spawn_result result = spawn_make(r, cwd, alone, s);
  return result != SPAWN_STARTED || r->is_held ? result : spawn_begin(r, s, go_on);
}

/* What was killed counts until it is gone, and a sandbox that has used up its share of the CPU dies slowly. */
static enum spawn_result spawn_patiently(const struct spawn_request *r, int cwd, struct start *s) {
  enum spawn_result result;
  for (double until = now_ms() + DYING_MS; (result = spawn(r, cwd, s)) == SPAWN_TOO_MANY && now_ms() < until;) {
    reap();
    poll(NULL, 0, 1);
  }
  return result;
}

static void fail_spawn(uint32_t channel, enum spawn_result result) {
  fail(channel, result == SPAWN_NOT_FOUND ? FAILED_NOT_FOUND : FAILED_REFUSED);
}

static void hold(uint32_t channel, struct spawn_request *r, const struct start *s, uint64_t since) {
  struct held *h = allocate(sizeof *h);
  *h = (struct held){.next = held, .channel = channel, .request = r, .start = *s, .since = since};
  held = h;
  outbox_send_u32(&outbox, FROM_HELD, channel, (uint32_t)s->pid);
}

/* Takes the request. */
static void spawn_on(uint32_t channel, struct spawn_request *r) {
  begun = true;
  int cwd = open_start(r->cwd);
  if (cwd < 0) {
    fail(channel, FAILED_REFUSED);
    return spawn_free(r);
  }
  /* Before the start: by the time it is told, the program may have forked already. */
  uint64_t since = boot_ticks();
  struct start s;
  enum spawn_result result = spawn_patiently(r, cwd, &s);
  close(cwd);
  if (result == SPAWN_STARTED && r->is_held) return hold(channel, r, &s, since);
  if (result == SPAWN_STARTED) watch(channel, s.pid, s.mine, since);
  else fail_spawn(channel, result);
  spawn_free(r);
}

/* Once it is a program it is collected as all are; what was killed before is waited for here, and that it is not is told at once. */
static void begin_held(struct held *h) {
  enum spawn_result result = spawn_begin(h->request, &h->start, go_on);
  int status;
  if (result != SPAWN_STARTED) return fail_spawn(h->channel, result);
  pid_t pid = h->start.pid, ended;
  struct program *p = watch(h->channel, pid, h->start.mine, h->since);
  /* A debugger that has offered itself to its parent by now would be waited for as well. Of any other the wait ends only with it: nobody
     collects it later. */
  int how = __WCLONE | (h->request->traces ? WNOHANG : 0);
  for (int waited = 0; (ended = waitpid(pid, &status, how)) == 0 && waited < DYING_MS; waited++) poll(NULL, 0, 1);
  if (ended == pid && !WIFSTOPPED(status)) program_exited(p, status);
}

static void on_begin(uint32_t channel, struct fields *f) {
  take_end(f);
  struct held **at = &held;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  struct held *h = *at;
  if (!h) die("nothing is held on channel %u", channel);
  *at = h->next;
  begin_held(h);
  spawn_free(h->request);
  free(h);
}

static void on_spawn(uint32_t channel, struct fields *f) {
  struct spawn_request *r = spawn_parse(f);
  r->input = input_files_give(channel);
  spawn_on(channel, r);
}

static void on_prepare(uint32_t channel, struct fields *f) {
  begun = true;
  struct prepared *p = allocate(sizeof *p);
  *p = (struct prepared){.next = prepared, .channel = channel, .request = spawn_parse(f), .since = boot_ticks()};
  p->request->input = input_files_give(channel);
  if (!open_ends(p->request, &p->mine, &p->theirs)) {
    refuse("Program cannot be started (errno %d)", errno);
    fail(channel, FAILED_REFUSED);
    spawn_free(p->request);
    free(p);
    return;
  }
  p->users = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  prepared = p;
  const int ends[] = {p->theirs.input, p->theirs.output, p->theirs.errors, p->theirs.control, p->theirs.file, p->users};
  uint8_t *at = outbox_place(&outbox, sizeof ends);
  for (size_t i = 0; i < LENGTH(ends); i++) at = put_u32(at, (uint32_t)ends[i]);
  outbox_commit(&outbox, FROM_PREPARED, channel, sizeof ends);
}

/* Payload: its number, or 0 where it could not be started elsewhere. */
static void on_adopt(uint32_t channel, struct fields *f) {
  pid_t pid = (pid_t)take_u32(f);
  take_end(f);
  struct prepared **at = &prepared;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  struct prepared *p = *at;
  if (!p) die("nothing is prepared on channel %u", channel);
  *at = p->next;
  give_ends(&p->mine, &p->theirs);
  if (p->users >= 0) close(p->users);
  /* One that is still on its way may be somebody else's; see src/kernels/prewarm/python/forking.py. */
  if (pid > 0 && (kill(pid, 0) == 0 || errno == EPERM)) {
    watch(channel, pid, p->mine, p->since);
  } else {
    /* Or it has ended already. */
    close_ends(&p->mine);
    spawn_on(channel, p->request);
    p->request = NULL;
  }
  if (p->request) spawn_free(p->request);
  free(p);
}

/* A program that has ended may have left others behind; its own number may be another's by now. */
static void kill_program(uint32_t channel, bool keep_root, bool flush) {
  struct victims v = {.keep_root = keep_root};
  struct program *program = find_program(channel);
  bool known = program != NULL;
  if (program) v.since = program->since;
  for (size_t i = 0; i < MIN(forgotten_count, (size_t)REMEMBERED) && !known; i++) {
    known = forgotten[i].channel == channel;
    if (known) v.since = forgotten[i].since;
  }
  if (!known) return;
  if (program && !program->ended) v.root = program->pid;
  for (struct program *p = programs; p; p = p->next)
    if (p != program && !p->ended) ints_push(&v.others, p->pid);
  for (struct held *h = held; h; h = h->next) ints_push(&v.others, h->start.pid);
  bool again = program && program->kill_by > 0;
  if (program && !again) program->flushing = FLUSH_DESCENDANTS;
  bool may_wait = flush && v.root && (!again || now_ms() < program->kill_by);
  bool late = again && now_ms() > program->kill_by - (double)FLUSH_MS / 2;
  if (may_wait && flush_tree(&v, &program->flushing, late)) {
    if (!again) program->kill_by = now_ms() + FLUSH_MS;
  } else {
    kill_tree(&v);
    if (program) program->kill_by = 0;
  }
  ints_free(&v.others);
}

static void on_kill(uint32_t channel, struct fields *f) {
  uint8_t flags = take_u8(f);
  take_end(f);
  kill_program(channel, flags & 1, flags & 2);
}

/* Kills what has written what it held, or had the time to. */
static void kill_flushed(void) {
  for (struct program *p = programs; p; p = p->next)
    if (p->kill_by > 0) kill_program(p->channel, false, true);
}

static void on_signal(struct program *p, struct fields *f) {
  uint32_t signal = take_u32(f);
  take_end(f);
  if (p && !p->ended && signal <= MAX_SIGNAL) kill(-p->pid, (int)signal);
}

static void on_open_input(struct program *p, struct fields *f) {
  bool whole = take_u8(f);
  take_end(f);
  if (p) program_open_input(p, whole);
}

static void on_resize_terminal(const struct program *p, struct fields *f) {
  struct terminal_size size = take_size(f);
  take_end(f);
  if (p) program_resize(p, size);
}

static void on_credit(struct program *p, struct fields *f) {
  uint32_t bytes = take_u32(f);
  take_end(f);
  if (p) program_credit(p, bytes);
}

static void on_frame(struct frame *frame) {
  struct fields *f = &frame->payload;
  uint32_t channel = frame->channel;
  struct program *p = find_program(channel);
  if (frame->kind != TO_ALIVE) direct_close();
  switch (frame->kind) {
    case TO_ALIVE: return;
    case TO_SPAWN: return on_spawn(channel, f);
    case TO_PREPARE: return on_prepare(channel, f);
    case TO_ADOPT: return on_adopt(channel, f);
    case TO_BEGIN: return on_begin(channel, f);
    case TO_KILL: return on_kill(channel, f);
    case TO_FILE: return files_request(&outbox, channel, f);
    case TO_STREAM_DATA:
    case TO_STREAM_END:
    case TO_STREAM_WINDOW:
    case TO_STREAM_RESET: return streams_on_frame(frame);
    case TO_FILE_CHAIN: return files_chain(f);
    case TO_FILE_DATA: return files_data(&outbox, channel, f);
    case TO_SIGNAL: return on_signal(p, f);
    case TO_CREDIT: return on_credit(p, f);
    case TO_INPUT: return p ? program_input(p, f) : (void)0;
    case TO_END_INPUT: return p ? program_end_input(p) : (void)0;
    case TO_CONTROL: return p ? program_control(p, f) : (void)0;
    case TO_OPEN_INPUT: return on_open_input(p, f);
    case TO_WHOLE_INPUT: return p ? program_whole_input(p, f) : (void)0;
    case TO_RESIZE_TERMINAL: return on_resize_terminal(p, f);
    case TO_SHOW_LIMITS: return figures_show(f, begun);
    case TO_SPAWN_INPUT: return input_files_take(channel, f);
    default: die("an unknown kind: %d", frame->kind);
  }
}

static void listen_to_service(void *unused) {
  (void)unused;
  spoken_at = now_ms();
  sockets_hasten();
  if (!decoder_read(&decoder, service, on_frame)) die("the service is gone");
}

static void say_ready(void) { outbox_send_u32(&outbox, FROM_READY, 0, PROTOCOL_VERSION); }

static void take_direct(void *unused) {
  (void)unused;
  int connection = direct_take();
  if (connection < 0) return;
  service = outbox.fd = connection;
  say_ready();
}

/* The end of what it was reached by at first is the service's still. */
static void watch_first(void *unused) {
  (void)unused;
  char signs_of_life[256];
  ssize_t got = read(STDIN_FILENO, signs_of_life, sizeof signs_of_life);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) die("the service is gone");
}

static void nothing(void *unused) { (void)unused; }

static void forget(struct program **at) {
  struct program *p = *at;
  forgotten[forgotten_count % REMEMBERED].channel = p->channel;
  forgotten[forgotten_count++ % REMEMBERED].since = p->since;
  *at = p->next;
  program_free(p);
}

/* How long a turn may sleep, milliseconds; infinite: for ever. */
static double patience(void) {
  double most = running ? MIN(slowest(), sockets_pause()) + 1 : patience_for_service ? (double)patience_for_service / 3 : INFINITY;
  for (struct program *p = programs; p; p = p->next) {
    if (program_impatient(p)) most = MIN(most, FIFO_MS);
    if (p->kill_by > 0) most = MIN(most, FLUSH_STEP_MS);
    double rest = rest_left(&p->rest);
    if (rest > 0) most = MIN(most, rest);
  }
  return most;
}

static void turn(struct poll_set *set) {
  if (patience_for_service && now_ms() - spoken_at > (double)patience_for_service) die("the service is silent");
  reap();
  if (running && sockets_exceed(slowest(), cpu_time)) give_up();
  kill_flushed();
  files_advance(&outbox);
  streams_advance();
  set->count = 0;
  poll_add(set, service, POLLIN, listen_to_service, NULL);
  if (service != STDIN_FILENO) poll_add(set, STDIN_FILENO, POLLIN, watch_first, NULL);
  if (direct_listener() >= 0) poll_add(set, direct_listener(), POLLIN, take_direct, NULL);
  for (struct program **at = &programs; *at;) {
    program_poll(*at, set);
    if (program_finished(*at)) forget(at);
    else at = &(*at)->next;
  }
  outbox_flush(&outbox);
  if (buffer_length(&outbox.waiting) > 0) poll_add(set, outbox.fd, POLLOUT, nothing, NULL);
  bool more = files_answering() || streams_busy();
  poll_wait(set, more && !outbox_full(&outbox) ? 0 : patience());
}

void take_no_signals(void) {
  static bool taken;
  if (taken) return;
  taken = true;
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t none;
  sigemptyset(&none);
  for (int signal = 1; signal <= MAX_SIGNAL; signal++) sigaction(signal, &action, NULL);
  /* A program that closes its input is told by the write itself. */
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Interrupts poll(2), and does nothing else. */
static void on_child(int signal) { (void)signal; }

static void wake_on_child(void) {
  struct sigaction action = {.sa_handler = on_child};
  sigaction(SIGCHLD, &action, NULL);
}

static void never_wait(int fd) { must("fcntl", fcntl(fd, F_SETFL, (int)must("fcntl", fcntl(fd, F_GETFL)) | O_NONBLOCK)); }

void serve(const char *root, long silence, const char *direct) {
  figures_begin();
  take_no_signals();
  wake_on_child();
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  spawn_open();
  /* Without this a program of the same user could open /proc/1/mem or /proc/1/fd and speak in the agent's name. */
  must("PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  on_death = kill_all;
  never_wait(STDIN_FILENO);
  never_wait(STDOUT_FILENO);
  places_open(root);
  disk_open(root);
  streams_open(&outbox);
  patience_for_service = silence;
  spoken_at = now_ms();
  if (direct) direct_open(direct);
  say_ready();
  struct poll_set set = {0};
  while (true) turn(&set);
}
