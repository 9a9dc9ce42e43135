#define _GNU_SOURCE
#include "transaction.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kept_tree.h"
#include "memory.h"
#include "place.h"
#include "processes.h"
#include "protocol.h"
#include "refusal.h"
#include "sockets.h"
#include "standstill.h"
#include "tree.h"
#include "undo.h"

enum {
  /* The service is told so often that there is life, milliseconds. */
  BREATH_MS = 500,
  /* Time for what was killed to be gone, milliseconds. */
  DYING_MS = 5000,
  OWNER_ALL = 0700,
  MODE_BITS = 07777,
};

static struct {
  bool whole;
  struct kept_tree tree;
  /* What ran when it began, and when that was. */
  struct processes before;
  uint64_t since;
} kept;

static struct {
  struct outbox *o;
  uint32_t channel;
  uint8_t op;
  double last;
} breath;

static void answer(bool more) {
  put_u8(put_u8(outbox_place(breath.o, 2), breath.op), more);
  outbox_commit(breath.o, FROM_FILE_DONE, breath.channel, 2);
}

static void breathe(void) {
  if (now_ms() - breath.last < BREATH_MS) return;
  breath.last = now_ms();
  answer(true);
  outbox_flush(breath.o);
}

static bool no_room(void) {
  if (refusal_reason != FAILED_FULL) return false;
  refuse("There is no room to keep all of %s beside it until the transaction ends", places_root());
  refusal_reason = FAILED_FULL;
  return false;
}

/* Nothing below a root that its owner has shut can be named: opens it, and says what its mode was. */
static bool open_root(mode_t *mode) {
  struct stat status;
  if (fstat(places_root_fd(), &status) < 0) return refuse_call(errno, places_root());
  *mode = status.st_mode;
  bool is_open = (status.st_mode & OWNER_ALL) == OWNER_ALL;
  return is_open || chmod(places_root(), (status.st_mode & MODE_BITS) | OWNER_ALL) == 0 || refuse_call(errno, places_root());
}

static bool keep_tree(uint64_t most) {
  mode_t mode;
  if (!open_root(&mode)) return false;
  bool done = tree_keep(&kept.tree, places_root_fd(), mode, most, breathe) || no_room();
  if ((mode & OWNER_ALL) != OWNER_ALL && chmod(places_root(), mode & MODE_BITS) < 0) done = refuse_call(errno, places_root());
  return done;
}

static bool keep_all(uint64_t most) {
  struct processes stood;
  bool done = standstill_begin(&stood);
  kept.since = boot_ticks();
  kept.before = processes_read();
  done = done && keep_tree(most);
  standstill_end(&stood);
  if (!done) free(kept.before.items);
  return kept.whole = done;
}

/* Kills what has begun meanwhile, but for what programs have started that ran before. All stand still: nothing forks, or comes unseen. */
static bool kill_new(void) {
  struct victims v = {.since = kept.since};
  struct processes now = processes_read();
  for (size_t i = 0; i < kept.before.count; i++) {
    const struct process *was = &kept.before.items[i], *is = process_living(&now, was->pid);
    if (is && is->started_at == was->started_at) ints_push(&v.others, was->pid);
  }
  free(now.items);
  kill_tree(&v);
  double until = now_ms() + DYING_MS;
  while (tree_lives(&v) && now_ms() < until) poll(NULL, 0, 1);
  bool gone = !tree_lives(&v);
  ints_free(&v.others);
  return gone || refuse("A program of the transaction could not be killed");
}

static void forget_all(void) {
  tree_forget(&kept.tree);
  free(kept.before.items);
  kept.before = (struct processes){0};
  kept.whole = false;
}

static bool restore_all(void) {
  struct processes stood;
  mode_t mode;
  bool done = standstill_begin(&stood) && kill_new() && open_root(&mode) && tree_restore(&kept.tree, places_root_fd());
  standstill_end(&stood);
  forget_all();
  return done;
}

static bool begin(struct fields *f) {
  bool whole = take_u8(f);
  uint64_t most = take_u64(f);
  take_end(f);
  if (kept.whole || undo_is_open()) return refuse("A transaction is open already");
  return whole ? keep_all(most) : undo_open(places_root_fd());
}

static bool roll_back(void) { return kept.whole ? restore_all() : undo_all(); }

bool transaction_request(struct outbox *o, uint32_t channel, uint8_t op, struct fields *f) {
  breath.o = o;
  breath.channel = channel;
  breath.op = op;
  breath.last = now_ms();
  if (op == FILE_BEGIN) {
    if (!begin(f)) return false;
  } else {
    take_end(f);
    if (!kept.whole && !undo_is_open()) return refuse("No transaction is open");
    if (op == FILE_ROLL_BACK && !roll_back()) return false;
  }
  answer(false);
  if (op != FILE_COMMIT) return true;
  /* Nobody needs to wait until what was kept is gone. */
  outbox_flush(o);
  if (kept.whole) forget_all();
  else undo_forget();
  return true;
}
