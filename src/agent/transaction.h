/*
 * One transaction of the service's: what happens below the root while it is open can be undone. Of file operations alone what they touch
 * is kept (undo.h); where programs run, which may touch anything, the whole tree is (kept_tree.h).
 */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include "frames.h"

/* Answers FILE_BEGIN, FILE_COMMIT and FILE_ROLL_BACK; false when refused. `f` is what follows the operation. */
bool transaction_request(struct outbox *o, uint32_t channel, uint8_t op, struct fields *f);

#endif
