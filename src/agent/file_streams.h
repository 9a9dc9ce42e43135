/* Files that are read and written as streams (stream.h), of any size: what is read is named by ranges, one after the other. */
#ifndef FILE_STREAMS_H
#define FILE_STREAMS_H

#include "frames.h"

/* `op`: FILE_OPEN_READ, FILE_OPEN_WRITE or FILE_RANGE. */
void file_streams_request(struct outbox *o, uint32_t channel, uint8_t op, struct fields *f);

#endif
