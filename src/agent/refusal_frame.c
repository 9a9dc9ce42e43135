#include "refusal_frame.h"

#include <string.h>

#include "refusal.h"

void send_refusal(struct outbox *o, uint8_t kind, uint32_t channel) {
  size_t length = strlen(refusal);
  put_text(put_u8(outbox_place(o, 5 + length), refusal_reason), refusal, length);
  outbox_commit(o, kind, channel, 5 + length);
}
