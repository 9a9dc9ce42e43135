#define _GNU_SOURCE
#include "transaction.h"

#include "place.h"
#include "protocol.h"
#include "refusal.h"
#include "undo.h"

static bool begin(bool whole) {
  if (undo_is_open()) return refuse("A transaction is open already");
  if (whole) return refuse("Commands that run programs can’t be undone yet");
  return undo_open(places_root_fd());
}

bool transaction_request(struct outbox *o, uint32_t channel, uint8_t op, struct fields *f) {
  bool whole = op == FILE_BEGIN && take_u8(f);
  take_end(f);
  if (op != FILE_BEGIN && !undo_is_open()) return refuse("No transaction is open");
  bool done = op == FILE_BEGIN ? begin(whole) : op == FILE_COMMIT || undo_all();
  if (!done) return false;
  put_u8(put_u8(outbox_place(o, 2), op), 0);
  outbox_commit(o, FROM_FILE_DONE, channel, 2);
  if (op != FILE_COMMIT) return true;
  /* Nobody needs to wait until what was kept is gone. */
  outbox_flush(o);
  undo_forget();
  return true;
}
