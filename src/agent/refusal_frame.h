/* The last refusal as a frame: `u8 reason, text sentence`. */
#ifndef REFUSAL_FRAME_H
#define REFUSAL_FRAME_H

#include "frames.h"

/* `kind`: FROM_FAILED or FROM_STREAM_RESET. */
void send_refusal(struct outbox *o, uint8_t kind, uint32_t channel);

#endif
